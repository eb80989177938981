import {
  type Failure,
  type Observed,
  type ObservedReplica,
  type Phase,
  type ReplicaId,
  sameReplica,
} from './observed.ts';
import type {
  BeforeOutcome,
  CheckOutcome,
  DependenciesOutcome,
  MachineOutcome,
  StartOutcome,
  StopOutcome,
} from './outcomes.ts';
import type { Progress } from './pace.ts';
import type { StepOf } from './steps.ts';

type Of<Outcome> = Exclude<Outcome, { outcome: 'superseded' }>;
/** Pause after an engine did not answer, and after no machine had room. */
const RETRY_MS = 1_000;
const SHORTAGE_RETRY_MS = 5_000;

const without = (observed: Observed, id: ReplicaId | undefined): readonly ObservedReplica[] =>
  id === undefined ? observed.replicas : observed.replicas.filter((replica) => !sameReplica(replica, id));

/** What is known after a start. */
export function afterStart(
  observed: Observed,
  step: StepOf<'start-replica'>,
  outcome: Of<StartOutcome>,
): Observed {
  const before = observed.replicas.find((replica) => sameReplica(replica, step));
  const others = { ...observed, replicas: without(observed, step.replaces) };
  const rest = without(others, step);
  const put = (machine: string, state: Phase): Observed => {
    const { revision, slot, generation, failures } = step;
    return { ...observed, replicas: [...rest, { revision, slot, generation, failures, machine, state }] };
  };
  switch (outcome.outcome) {
    case 'started':
      return put(outcome.machine, { phase: 'running', since: outcome.at });
    case 'machine-coming': {
      const known = observed.coming.some(({ name }) => name === outcome.machine);
      const placed = put(outcome.machine, { phase: 'placed', tries: 0, retryAt: 0 });
      const machine = { name: outcome.machine, provision: outcome.provision };
      return known ? placed : { ...placed, coming: [...observed.coming, machine] };
    }
    case 'unreachable': {
      const tries = before?.state.phase === 'placed' ? before.state.tries + 1 : 1;
      return put(outcome.machine, { phase: 'placed', tries, retryAt: outcome.at + RETRY_MS * tries });
    }
    case 'no-room': {
      const { reason, at } = outcome;
      const since = observed.shortage?.since ?? at;
      return { ...observed, replicas: rest, shortage: { since, retryAt: at + SHORTAGE_RETRY_MS, reason } };
    }
    case 'refused': {
      const { failure, at } = outcome;
      const refused = { ...observed, replicas: rest, failure };
      if (at === undefined) return refused;
      // A revision that was healthy before is not given up: it is tried again, and not at once.
      const { code, reason } = failure;
      const since = observed.shortage?.since ?? at;
      return { ...refused, shortage: { since, retryAt: at + SHORTAGE_RETRY_MS, reason, code } };
    }
  }
}

export function afterCheck(observed: Observed, id: ReplicaId, outcome: Of<CheckOutcome>): Observed {
  const replicas = observed.replicas.map((replica) => {
    if (!sameReplica(replica, id)) return replica;
    return { ...replica, failures: outcome.failures, state: carryOver(replica.state, outcome.state) };
  });
  return { ...observed, replicas };
}

/** What one check cannot know: since when it is not healthy, whether it ever was. */
function carryOver(before: Phase, after: Phase): Phase {
  if (after.phase === 'unhealthy' && (before.phase === 'unhealthy' || before.phase === 'running'))
    return { ...after, since: before.since };
  if (after.phase === 'exited' && before.phase === 'healthy') return { ...after, wasHealthy: true };
  return after;
}

/** Room came free: a start that found none is tried again at once. */
export function afterStop(observed: Observed, id: ReplicaId, _outcome: Of<StopOutcome>): Observed {
  const { shortage, ...rest } = observed;
  const replicas = without(observed, id);
  return { ...rest, replicas, ...(shortage && { shortage: { ...shortage, retryAt: 0 } }) };
}

export function afterMachine(observed: Observed, machine: string, outcome: MachineOutcome): Observed {
  if (outcome.outcome === 'coming') return observed;
  if (outcome.outcome === 'ready')
    return { ...observed, coming: observed.coming.filter(({ name }) => name !== machine) };
  const { failure } = outcome;
  const coming = observed.coming.map((one) => (one.name === machine ? { ...one, failure } : one));
  return { ...observed, coming };
}

/** Some get requests now that did not, and others none. */
export function afterSwitch(observed: Observed, step: StepOf<'switch-replicas'>): Observed {
  const replicas = observed.replicas.map((replica) => {
    const { state } = replica;
    if (state.phase !== 'healthy') return replica;
    const { since } = state;
    if (step.serve.some((id) => sameReplica(id, replica)))
      return { ...replica, state: { phase: 'healthy', since } as const };
    if (!step.rest.some((id) => sameReplica(id, replica))) return replica;
    return { ...replica, state: { phase: 'healthy', since, standby: true } as const };
  });
  return { ...observed, replicas };
}

export const afterNote = (observed: Observed, progress: Progress): Observed => ({ ...observed, progress });

export function afterDependencies(observed: Observed, outcome: Of<DependenciesOutcome>): Observed {
  const { gates } = observed;
  if (outcome.outcome === 'healthy') return { ...observed, gates: { ...gates, dependencies: true } };
  const known = gates?.dependencies;
  const since = typeof known === 'object' ? known.since : outcome.at;
  return { ...observed, gates: { ...gates, dependencies: { since, reason: outcome.reason } } };
}

export function afterBefore(observed: Observed, outcome: Of<BeforeOutcome>): Observed {
  if (outcome.outcome === 'running') return observed;
  if (outcome.outcome === 'failed') return { ...observed, failure: outcome.failure };
  return { ...observed, gates: { ...observed.gates, before: true } };
}

export const afterGivingUp = (observed: Observed, failure: Failure): Observed => ({ ...observed, failure });

export const afterPromotion = (observed: Observed): Observed => ({ ...observed, promoted: true });

/** A fresh look: it knows all replicas, but not which ended ones were healthy once. */
export function afterObservation(
  observed: Observed,
  replicas: readonly ObservedReplica[],
  leaving: readonly string[] = [],
  slots?: readonly number[],
): Observed {
  const merged = replicas.map((replica) => {
    const before = observed.replicas.find((one) => sameReplica(one, replica));
    if (before === undefined) return replica;
    if (replica.state.phase === 'placed' && before.state.phase === 'placed') return before;
    return { ...replica, state: carryOver(before.state, replica.state) };
  });
  const { leaving: _, slots: _slots, ...rest } = observed;
  return { ...rest, replicas: merged, ...(leaving.length > 0 && { leaving }), ...(slots && { slots }) };
}

export const nothingObserved = (replicas: readonly ObservedReplica[] = []): Observed => ({
  replicas,
  coming: [],
});
