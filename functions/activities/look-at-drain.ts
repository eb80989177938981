import { type DurableClient, getClient } from 'durable-functions';
import { type DrainLook, lookAtDrain } from '../../shared/machines/replacement/drain.ts';
import {
  isEmpty,
  leftOn,
  pauseBetweenLooks,
  runsEndAt,
} from '../../shared/machines/replacement/drain-state.ts';
import type { Cordon, Machine } from '../../shared/model/machine.ts';
import { reservationsOf, setClosed } from '../../shared/scheduling/close-room.ts';
import { RUN_GRACE } from '../../shared/workloads/run-container.ts';
import { askToMove } from '../ask-to-move.ts';
import { homelessOn } from '../homeless-on.ts';
import type { Services } from '../services.ts';
import { startRetirement } from '../start-retirement.ts';
import { activity } from './activity.ts';

/** One look, and what it has done. @param looks before this one */
export async function takeLook(
  name: Machine['name'],
  looks: number,
  made: Services,
  client: DurableClient,
): Promise<DrainLook> {
  const machine = await made.machines.get(name);
  const cordon = machine?.cordon;
  if (machine === undefined || cordon?.drain !== true || !DRAINED.has(machine.status.state))
    return { state: 'over' };
  await setClosed(made.tables, machine, true);
  const reservations = await reservationsOf(machine.pool, made.tables);
  const left = leftOn(name, reservations);
  const now = made.now();
  const names = [...left.services, ...left.runs];
  const waits = looks < PATIENT_LOOKS ? cordon.waits : await homelessOn(machine, reservations, made);
  await note(machine, cordon, { left: names, waits }, made);
  if (isEmpty(left)) {
    if (cordon.by === 'user' || cordon.by === 'maintenance') return { state: 'drained' };
    const expected = { state: machine.status.state, owner: machine.owner };
    await startRetirement(client, machine, cordon.reason, { expected, since: now.toISOString() });
    return { state: 'drained' };
  }
  // One event a minute, and where there is little time every ten seconds: the same one is nothing new.
  const period = `${cordon.since}:${now.toISOString().slice(0, cordon.by === 'eviction' ? 18 : 16)}`;
  const reason = `machine ${name} is drained: ${cordon.reason}`;
  await askToMove(machine, left.services, { reason, period }, made, client);
  if (now.getTime() >= runsEndAt(cordon)) await stopRuns(machine, left.runs, made);
  await noteTaken(machine, cordon, made);
  const pause = pauseBetweenLooks(cordon, now, looks);
  return { state: 'waiting', left: names, pause };
}

activity(
  lookAtDrain,
  ({ machine, looks }, made, context) => takeLook(machine, looks, made, getClient(context)),
  { durable: true },
);

/** Looks after which it is asked why replicas are still there: until then they are moving. */
const PATIENT_LOOKS = 5;

const DRAINED: ReadonlySet<Machine['status']['state']> = new Set([
  'provisioning',
  'booting',
  'ready',
  'silent',
]);

/** How the drain stands, for those who look at the machine; written where it changed. */
async function note(
  { name }: Machine,
  { since }: Cordon,
  { left, waits }: { readonly left: readonly string[]; readonly waits: string | undefined },
  { machines, now }: Pick<Services, 'machines' | 'now'>,
): Promise<void> {
  const shown = left.slice(0, 10);
  await machines.change(name, (machine) => {
    const { cordon } = machine;
    if (cordon?.since !== since || (left.length === 0 && cordon.drainedAt !== undefined)) return undefined;
    if (left.length > 0 && cordon.left?.join() === shown.join() && cordon.waits === waits) return undefined;
    const { left: _, waits: _waits, drainedAt: _before, ...rest } = cordon;
    const standing =
      left.length > 0
        ? { left: shown, ...(waits !== undefined && { waits }) }
        : { drainedAt: now().toISOString() };
    return { ...machine, cordon: { ...rest, ...standing } };
  });
}

/** A machine that Azure has taken will not be heard again: what was on it is lost now, and not after minutes of silence. */
async function noteTaken(
  { name, address, status }: Machine,
  { by, until }: Cordon,
  { engineOf, machines, now }: Pick<Services, 'engineOf' | 'machines' | 'now'>,
): Promise<void> {
  const isOver = by === 'eviction' && until !== undefined && now().getTime() > Date.parse(until);
  if (!isOver || status.state !== 'ready' || address === undefined) return;
  const engine = await engineOf({ name, address });
  const answers = await engine.version().then(
    () => true,
    () => false,
  );
  const since = now().toISOString();
  if (!answers)
    await machines.change(name, (machine) =>
      machine.status.state === 'ready' ? { ...machine, status: { state: 'silent', since } } : undefined,
    );
}

/** Their orchestrations see that they ended, and start them elsewhere if they have retries left. */
async function stopRuns(
  { name, address }: Machine,
  runs: readonly string[],
  { engineOf }: Pick<Services, 'engineOf'>,
): Promise<void> {
  if (address === undefined || runs.length === 0) return;
  const engine = await engineOf({ name, address });
  await Promise.all(
    runs.map(async (run) => {
      const container = await engine.inspect(run);
      if (container?.state.state === 'running') await engine.stop(container.id, RUN_GRACE);
    }),
  );
}
