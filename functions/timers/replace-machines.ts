import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { profileOf } from '../../shared/machines/golden/profile.ts';
import { cordoned } from '../../shared/machines/replacement/cordon.ts';
import {
  type ReplacementStep,
  replacementSteps,
} from '../../shared/machines/replacement/replacement-steps.ts';
import { PoolName } from '../../shared/model/names.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import { setClosed } from '../../shared/scheduling/close-room.ts';
import { RESERVATIONS_RANGE, Reservation } from '../../shared/scheduling/rows.ts';
import { documents } from '../../shared/state/documents.ts';
import { all } from '../../shared/workloads/stores.ts';
import { homelessOn } from '../homeless-on.ts';
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

app.timer('replace-machines', {
  schedule: '45 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: (_timer, context) => replaceMachines(services(), df.getClient(context), context),
});
