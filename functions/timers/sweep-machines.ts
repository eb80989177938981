import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { unrecorded } from '../../shared/machines/orphans.ts';
import { poolSteps } from '../../shared/machines/pool-steps.ts';
import { sweepSteps } from '../../shared/machines/sweep-steps.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { PoolName } from '../../shared/model/names.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import { reservedMachines } from '../../shared/scheduling/close-room.ts';
import { isGoing } from '../instances.ts';
import { type Services, services } from '../services.ts';
import { type MachineStep, takeMachineStep } from './take-machine-step.ts';

/**
 * Compares machines with what ARM has and with what was heard of them, and mends what differs.
 * @param pause milliseconds between questions to an engine whose machine was not heard
 */
export async function sweepMachines(
  made: Pick<Services, 'now' | 'machines' | 'consoles' | 'cloud' | 'stores' | 'engineOf' | 'tables'>,
  client: df.DurableClient,
  context: InvocationContext,
  pause = 5_000,
): Promise<void> {
  const [records, resources] = await Promise.all([made.machines.list(), made.cloud.tagged()]);
  const going = await goingOf(records, client);
  const isNeeded = unrecorded({ records, resources }).size > 0;
  const occupied = isNeeded ? await occupiedMachines(made) : new Set<string>();
  const now = made.now();
  const steps = [
    ...sweepSteps({ now, records, resources, going, occupied }),
    ...poolSteps({ now, records, pools: await poolsOf(made), reserved: await reservedMachines(made.tables) }),
  ];
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

/** Owners whose orchestration is going on, of the records for which that matters. */
async function goingOf(records: readonly Machine[], client: df.DurableClient): Promise<Set<string>> {
  const going = await Promise.all(
    records
      .filter(({ status }) => status.state !== 'ready' && status.state !== 'silent')
      .map(async ({ owner }) => ((await isGoing(client, owner)) ? [owner] : [])),
  );
  return new Set(going.flat());
}

async function occupiedMachines({ stores }: Pick<Services, 'stores'>): Promise<Set<string>> {
  const occupied = new Set<string>();
  for await (const { value } of stores.replicas.list({})) occupied.add(value.machine);
  return occupied;
}

app.timer('sweep-machines', {
  schedule: '20 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => sweepMachines(services(), df.getClient(context), context),
});
