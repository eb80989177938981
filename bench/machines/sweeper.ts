import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { appEnvironment } from '../../infra/local/supervisor/app-environment.ts';
import type { RunningDataCentre } from '../../infra/local/supervisor/start-data-centre.ts';

/**
 * The app's sweep of machines, made in this process against the data centre's storage and ARM, so that it can be timed.
 * What it would start, it does not: where nothing is amiss it starts nothing.
 */
export async function sweeper({ dataCentre, keys }: RunningDataCentre): Promise<() => Promise<void>> {
  Object.assign(process.env, appEnvironment(dataCentre, keys));
  const { services } = await import('../../functions/services.ts');
  const { sweepMachines } = await import('../../functions/timers/sweep-machines.ts');
  const client = {
    getStatus: async () => ({ runtimeStatus: 'Running' }),
    startNew: async () => '',
  } as unknown as DurableClient;
  const context = new InvocationContext({
    functionName: 'sweep-machines',
    invocationId: 'bench',
    logHandler: () => {},
  });
  return () => sweepMachines(services(), client, context);
}
