import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { poolSteps } from '../../shared/machines/pool-steps.ts';
import { sweepSteps } from '../../shared/machines/sweep-steps.ts';
import { PoolName } from '../../shared/model/names.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import { reservedMachines } from '../../shared/scheduling/close-room.ts';
import { type Services, services } from '../services.ts';
import { sightMachines } from '../sight-machines.ts';
import { type MachineStep, takeMachineStep } from './take-machine-step.ts';

/**
 * Compares machines with what ARM has and with what was heard of them, and mends what differs.
 * @param pause milliseconds between questions to an engine whose machine was not heard
 */
export async function sweepMachines(
  made: Services,
  client: df.DurableClient,
  context: InvocationContext,
  pause = 5_000,
): Promise<void> {
  const sighted = await sightMachines(made, client);
  const { now, records } = sighted;
  const [pools, reserved, breakers] = await Promise.all([
    poolsOf(made),
    reservedMachines(made.tables),
    made.breakers.all(),
  ]);
  const steps = [...sweepSteps(sighted), ...poolSteps({ now, records, pools, reserved, breakers })];
  const results = await Promise.allSettled(
    steps.map(async (step) => {
      context.log(`sweep: ${step.step} ${subjectOf(step)}: ${step.reason}`);
      await takeMachineStep(step, made, client, pause);
    }),
  );
  for (const result of results) if (result.status === 'rejected') context.error('sweep:', result.reason);
}

const subjectOf = (step: MachineStep): string =>
  'machine' in step ? step.machine.name : 'pool' in step ? step.pool : step.name;

async function poolsOf({ stores }: Pick<Services, 'stores'>): Promise<Map<PoolName, PoolSpec>> {
  const pools = new Map<PoolName, PoolSpec>();
  for await (const { row, value } of stores.pools.list({})) pools.set(PoolName.parse(row), value);
  return pools;
}

app.timer('sweep-machines', {
  schedule: '20 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => sweepMachines(services(), df.getClient(context), context),
});
