import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { profileOf } from '../../shared/machines/golden/profile.ts';
import { newMachineName } from '../../shared/machines/machine-names.ts';
import { poolOutlook } from '../../shared/machines/pool-outlook.ts';
import { cordoned } from '../../shared/machines/replacement/cordon.ts';
import { leftOn } from '../../shared/machines/replacement/drain-state.ts';
import {
  type ReplacementStep,
  replacementSteps,
} from '../../shared/machines/replacement/replacement-steps.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { PoolName } from '../../shared/model/names.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import { setClosed } from '../../shared/scheduling/close-room.ts';
import { homeless } from '../../shared/scheduling/homeless.ts';
import {
  LIMITS_ROW,
  MACHINES_RANGE,
  MachineRoom,
  RESERVATIONS_RANGE,
  Reservation,
} from '../../shared/scheduling/rows.ts';
import { documentOf, documents } from '../../shared/state/documents.ts';
import { all } from '../../shared/workloads/stores.ts';
import { type Services, services } from '../services.ts';
import { startDrain } from '../start-drain.ts';

type Made = Pick<Services, 'now' | 'machines' | 'stores' | 'tables' | 'offers' | 'breakers'>;

/** Replaces machines that are not as their pools want them, or too old, and has those that are cordoned drained. */
export async function replaceMachines(
  made: Made,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'log' | 'error'>,
): Promise<void> {
  const records = await made.machines.list();
  if (records.length === 0) return;
  const pools = new Map<PoolName, PoolSpec>();
  for await (const { row, value } of made.stores.pools.list({})) pools.set(PoolName.parse(row), value);
  const reservations = await all(documents(made.tables, 'capacity', Reservation).list(RESERVATIONS_RANGE));
  const sighted = {
    now: made.now(),
    pools,
    records,
    reserved: new Set(reservations.map(({ machine }) => machine)),
    profileOf,
  };
  // A first look says which are due: only for those it is asked whether there is other room.
  const due = replacementSteps({ ...sighted, homeless: () => undefined }).flatMap((step) =>
    step.step === 'replace' ? [step.machine] : [],
  );
  const homes = new Map<string, string | undefined>();
  for (const machine of due) homes.set(machine.name, await homelessOn(machine, reservations, made));
  const steps = replacementSteps({
    ...sighted,
    homeless: ({ name }) => (homes.has(name) ? homes.get(name) : 'others go before it'),
  });
  const drained = records.filter(({ cordon }) => cordon?.drain === true && cordon.drainedAt === undefined);
  const results = await Promise.allSettled([
    ...steps.map((step) => take(step, made, client, context)),
    ...drained.map(({ name }) => startDrain(client, name)),
  ]);
  for (const result of results) if (result.status === 'rejected') context.error('replace:', result.reason);
}

async function take(
  { step, machine, reason, ...more }: ReplacementStep,
  made: Made,
  client: df.DurableClient,
  context: Pick<InvocationContext, 'log'>,
): Promise<void> {
  const since = made.now().toISOString();
  const { name } = machine;
  if (step !== 'postpone' || machine.due?.waits !== reason)
    context.log(`replace: ${step} ${name}: ${reason}`);
  if (step === 'forget-due') {
    await made.machines.change(name, ({ due: _, ...rest }) => rest);
    return;
  }
  if (step === 'keep') {
    await made.machines.change(name, ({ cordon, due: _, ...rest }) =>
      cordon?.by === 'drift' || cordon?.by === 'expiry' ? rest : undefined,
    );
    return await setClosed(made.tables, machine, false);
  }
  if (!('due' in more)) return;
  const { due } = more;
  if (step === 'postpone') {
    if (machine.due?.waits === reason && machine.due.reason === due.reason) return;
    await made.machines.change(name, (current) => ({
      ...current,
      due: { since: current.due?.since ?? since, ...due, waits: reason },
    }));
    return;
  }
  const changed = await made.machines.change(name, (current) => {
    const { due: _, ...rest } = current;
    return current.status.state === 'ready' ? cordoned(rest, { since, ...due, drain: true }) : undefined;
  });
  if (changed?.cordon?.by !== due.by) return;
  await setClosed(made.tables, machine, true);
  await startDrain(client, name);
}

/** Why what is on a machine has no other room now. Runs of jobs are left to end where they are. */
async function homelessOn(
  { name, pool }: Machine,
  reservations: readonly Reservation[],
  made: Made,
): Promise<string | undefined> {
  const services = new Set(leftOn(name, reservations).services);
  const there = reservations.filter(({ machine, group }) => machine === name && services.has(group));
  if (there.length === 0) return undefined;
  const rooms: MachineRoom[] = [];
  for await (const { row, values } of made.tables.list('capacity', { partition: pool, ...MACHINES_RANGE }))
    if (row !== LIMITS_ROW) rooms.push(documentOf(MachineRoom, values));
  const outlook = await poolOutlook(pool, {
    poolSpec: async () => (await made.stores.pools.get('pool', pool))?.value,
    machines: () => made.machines.list(),
    offers: made.offers,
    breakers: made.breakers,
    now: made.now,
  });
  return homeless(
    name,
    there,
    { rooms, machines: await made.machines.list(pool) },
    { ...outlook, newName: () => newMachineName(pool, Math.random), now: made.now().toISOString() },
  );
}

app.timer('replace-machines', {
  schedule: '45 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => replaceMachines(services(), df.getClient(context), context),
});
