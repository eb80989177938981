import type { Desired } from './next-steps.ts';
import { isLive, type Observed, type ObservedReplica } from './observed.ts';

/** What each replica is to a rollout. */
export interface Roles {
  /** Of each slot, the one of the wanted revision that the slot is to have. */
  readonly current: ReadonlyMap<number, ObservedReplica>;
  /** On machines that are drained: they serve until the current one of their slot does. */
  readonly moving: readonly ObservedReplica[];
  /** Of the revision that serves. */
  readonly old: readonly ObservedReplica[];
  /** Healthy ones of other revisions: they go as soon as enough others serve. */
  readonly surplus: readonly ObservedReplica[];
  /** Nothing wants them any more. */
  readonly outdated: readonly ObservedReplica[];
}

/** Numbers of the slots that are wanted. */
export const slotsOf = ({ count }: Pick<Desired, 'count'>, { slots }: Observed): readonly number[] =>
  slots ?? Array.from({ length: count }, (_, slot) => slot);

export function rolesOf(desired: Desired, observed: Observed): Roles {
  const current = new Map<number, ObservedReplica>();
  const moving: ObservedReplica[] = [];
  const old: ObservedReplica[] = [];
  const surplus: ObservedReplica[] = [];
  const outdated: ObservedReplica[] = [];
  const wanted = new Set(slotsOf(desired, observed));
  const slots = new Map<number, ObservedReplica[]>();
  for (const replica of [...observed.replicas].sort((a, b) => b.generation - a.generation)) {
    if (replica.revision === desired.revision && wanted.has(replica.slot))
      slots.set(replica.slot, [...(slots.get(replica.slot) ?? []), replica]);
    else if (replica.revision === desired.revision) outdated.push(replica);
    else if (serves(desired, replica)) old.push(replica);
    else (isHealthy(replica) ? surplus : outdated).push(replica);
  }
  for (const [slot, replicas] of slots) {
    const chosen = choose(observed, replicas);
    if (chosen === undefined) continue;
    current.set(slot, chosen);
    for (const replica of replicas) {
      if (replica === chosen) continue;
      const goesOn = !isHealthy(chosen) && leaves(observed, replica) && isStarted(replica);
      (goesOn ? moving : outdated).push(replica);
    }
  }
  return { current, moving, old, surplus, outdated };
}

/** Of a slot's replicas, the newest first, one is what the slot is to have. */
function choose(observed: Observed, replicas: readonly ObservedReplica[]): ObservedReplica | undefined {
  const staying = replicas.filter((replica) => !leaves(observed, replica));
  return staying.find(isHealthy) ?? staying[0] ?? replicas.find(isHealthy) ?? replicas[0];
}

/** Until the first revision was healthy, whatever is healthy serves. */
function serves({ serving }: Desired, replica: ObservedReplica): boolean {
  if (!isStarted(replica)) return false;
  return serving === undefined ? isHealthy(replica) : serving.revision === replica.revision;
}

export const leaves = ({ leaving }: Observed, { machine }: ObservedReplica): boolean =>
  leaving?.includes(machine) ?? false;
export const isHealthy = ({ state }: ObservedReplica): boolean => state.phase === 'healthy';
/** Has a container that runs. */
export const isStarted = (replica: ObservedReplica): boolean =>
  isLive(replica) && replica.state.phase !== 'placed';
