import { LONGEST_WAIT_MS, pauseAfter } from './back-off.ts';
import { type Failure, isLive, type Moment, type Observed, type ObservedReplica } from './observed.ts';
import type { Next, Step } from './steps.ts';

/** What is wanted of one service. */
export interface Desired {
  /** The revision to go to, and its number of replicas. */
  readonly revision: number;
  readonly count: number;
  /** The revision was healthy before: what dies is replaced. Otherwise it is the rollout that fails. */
  readonly proven: boolean;
  /** Milliseconds that a replica may take to become healthy. */
  readonly deadline: number;
  /** What serves until then. */
  readonly serving?: { readonly revision: number; readonly count: number } | undefined;
}

/** A shortage of room that lasts this long ends the rollout. */
const SHORTAGE_MS = 60_000;
/** Unanswered starts after which a replica goes to another machine. */
const MOST_TRIES = 4;
/** Early ends after which a revision that was never healthy is given up. */
const MOST_FAILURES = 3;

/**
 * The next steps from what is observed to what is desired, each with its reason. All new slots are started at once and
 * the old ones stopped when every new one is healthy; only where room is short do old ones go one by one for those new
 * ones that are healthy already. A replica on a machine that is drained serves until its slot is healthy elsewhere.
 */
export function nextSteps(desired: Desired, observed: Observed, now: Moment): Next {
  const proven = desired.proven || observed.promoted === true;
  const plan = new Plan({ ...desired, proven }, observed, now);
  if (observed.failure !== undefined && !proven) return plan.takeBack(observed.failure);
  return plan.goOn();
}

/** What a slot needs: a step, or nothing since it is healthy; `stuck` if only time or somebody can help. */
type SlotNeed = { readonly step: Step } | { readonly stuck: Failure } | 'healthy' | 'nothing';

class Plan {
  readonly #desired: Desired;
  readonly #observed: Observed;
  readonly #now: Moment;
  readonly #current = new Map<number, ObservedReplica>();
  /** On machines that are drained: they serve until the current one of their slot does. */
  readonly #moving: ObservedReplica[] = [];
  readonly #outdated: ObservedReplica[] = [];
  readonly #old: ObservedReplica[] = [];

  constructor(desired: Desired, observed: Observed, now: Moment) {
    this.#desired = desired;
    this.#observed = observed;
    this.#now = now;
    const slots = new Map<number, ObservedReplica[]>();
    for (const replica of [...observed.replicas].sort((a, b) => b.generation - a.generation)) {
      if (replica.revision !== desired.revision)
        (this.#serves(replica) ? this.#old : this.#outdated).push(replica);
      else if (replica.slot >= desired.count) this.#outdated.push(replica);
      else slots.set(replica.slot, [...(slots.get(replica.slot) ?? []), replica]);
    }
    for (const [slot, replicas] of slots) this.#choose(slot, replicas);
  }

  /** Of a slot's replicas, the newest first, one is what the slot is to have. */
  #choose(slot: number, replicas: readonly ObservedReplica[]): void {
    const staying = replicas.filter((replica) => !this.#leaves(replica));
    const current = staying.find(isHealthy) ?? staying[0] ?? replicas.find(isHealthy) ?? replicas[0];
    if (current === undefined) return;
    this.#current.set(slot, current);
    for (const replica of replicas)
      if (replica !== current) {
        const serves = !isHealthy(current) && this.#leaves(replica) && isStarted(replica);
        (serves ? this.#moving : this.#outdated).push(replica);
      }
  }

  #leaves({ machine }: ObservedReplica): boolean {
    return this.#observed.leaving?.includes(machine) ?? false;
  }

  /** Until the first revision was healthy, whatever is healthy serves. */
  #serves(replica: ObservedReplica): boolean {
    if (!isLive(replica) || replica.state.phase === 'placed') return false;
    const { serving } = this.#desired;
    return serving === undefined ? replica.state.phase === 'healthy' : serving.revision === replica.revision;
  }

  goOn(): Next {
    const steps: Step[] = this.#outdated.map((replica) => stop(replica, 'nothing wants it any more'));
    const stuck: Failure[] = [];
    let healthy = 0;
    let waitsForRoom = false;
    for (let slot = 0; slot < this.#desired.count; slot += 1) {
      if (this.#isServed(slot)) healthy += 1;
      const need = this.#needOf(slot, this.#current.get(slot));
      if (need === 'healthy') continue;
      if (need === 'nothing') waitsForRoom = true;
      else if ('stuck' in need) stuck.push(need.stuck);
      else steps.push(need.step);
    }
    const [failure] = stuck;
    if (failure !== undefined && !this.#desired.proven)
      return one({ step: 'give-up', failure, reason: failure.reason });
    steps.push(...this.#stopsOfOld(healthy));
    const { shortage } = this.#observed;
    const actions = distinct(steps.filter(({ step }) => step !== 'wait'));
    if (actions.length > 0) return { kind: 'steps', steps: actions };
    const waits = steps.flatMap((step) => (step.step === 'wait' ? [step] : []));
    if (shortage !== undefined && shortage.retryAt > this.#now && waitsForRoom)
      waits.push({ step: 'wait', until: shortage.retryAt, reason: shortage.reason });
    const [first] = waits.sort((a, b) => a.until - b.until);
    if (first !== undefined) return one(first);
    return failure === undefined ? { kind: 'finish' } : { kind: 'finish', failure };
  }

  /** A failed rollout leaves nothing of its revision; what served goes on serving. */
  takeBack(failure: Failure): Next {
    const steps = [...this.#outdated, ...this.#moving, ...this.#current.values()].map((replica) =>
      stop(replica, `the rollout of revision ${this.#desired.revision} failed: ${failure.code}`),
    );
    return steps.length > 0 ? { kind: 'steps', steps } : { kind: 'finish', failure };
  }

  #needOf(slot: number, replica: ObservedReplica | undefined): SlotNeed {
    const { shortage } = this.#observed;
    if (replica === undefined) {
      const waits = shortage !== undefined && this.#now < shortage.retryAt;
      const start = () => ({ step: this.#start(slot, 0, undefined, 'the slot is empty') });
      return this.#shortTooLong() ?? (waits ? 'nothing' : start());
    }
    const move = this.#leaves(replica) && isLive(replica) ? this.#move(replica) : undefined;
    if (move !== undefined) return move;
    switch (replica.state.phase) {
      case 'healthy':
        return 'healthy';
      case 'placed':
        return this.#needOfPlaced(replica, replica.state);
      case 'running':
        return { step: { step: 'check-replica', ...idOf(replica), reason: 'it was started' } };
      case 'unhealthy':
        return this.#needOfUnhealthy(replica, replica.state);
      case 'exited':
        return this.#needOfExited(replica, replica.state);
      case 'lost':
        return { step: this.#start(slot, replica.failures, replica, `machine ${replica.machine} is lost`) };
    }
  }

  /** Elsewhere first; undefined where there is no room: it stays for as long as its machine does. */
  #move(replica: ObservedReplica): SlotNeed | undefined {
    const { shortage } = this.#observed;
    if (isStarted(replica) && this.#shortTooLong() !== undefined) return undefined;
    if (shortage !== undefined && this.#now < shortage.retryAt) return 'nothing';
    const reason = `machine ${replica.machine} is drained`;
    const replaces = isStarted(replica) ? undefined : replica;
    return { step: this.#start(replica.slot, replica.failures, replaces, reason) };
  }

  #isServed(slot: number): boolean {
    const current = this.#current.get(slot);
    const isMoving = (replica: ObservedReplica) => replica.slot === slot && isHealthy(replica);
    return (current !== undefined && isHealthy(current)) || this.#moving.some(isMoving);
  }

  #shortTooLong(): SlotNeed | undefined {
    const { shortage } = this.#observed;
    if (shortage === undefined || this.#now - shortage.since < SHORTAGE_MS) return undefined;
    return { stuck: { code: 'no-room', reason: shortage.reason } };
  }

  #needOfPlaced(replica: ObservedReplica, state: { tries: number; retryAt: Moment }): SlotNeed {
    const machine = this.#observed.coming.find(({ name }) => name === replica.machine);
    if (machine?.failure !== undefined)
      return replica.failures + 1 >= MOST_FAILURES
        ? { stuck: machine.failure }
        : { step: this.#start(replica.slot, replica.failures + 1, replica, machine.failure.reason) };
    if (machine !== undefined) {
      const wait = { machine: machine.name, reason: 'no machine that is ready has room' };
      const request = machine.provision;
      return request === undefined
        ? { step: { step: 'await-machine', ...wait } }
        : { step: { step: 'provision-machine', ...wait, request } };
    }
    if (state.tries >= MOST_TRIES) {
      const reason = `the engine of machine ${replica.machine} does not answer`;
      return replica.failures + 1 >= MOST_FAILURES
        ? { stuck: { code: 'engine-unreachable', reason } }
        : { step: this.#start(replica.slot, replica.failures + 1, replica, reason) };
    }
    if (this.#now < state.retryAt)
      return {
        step: { step: 'wait', until: state.retryAt, reason: `machine ${replica.machine} did not answer` },
      };
    return {
      step: {
        step: 'start-replica',
        ...idOf(replica),
        failures: replica.failures,
        avoid: [],
        reason: 'room is reserved for it',
      },
    };
  }

  #needOfUnhealthy(replica: ObservedReplica, state: { since: Moment; reason: string }): SlotNeed {
    if (this.#now - state.since < this.#desired.deadline)
      return { step: { step: 'check-replica', ...idOf(replica), reason: state.reason } };
    if (!this.#desired.proven)
      return {
        stuck: {
          code: 'health-check-failed',
          reason: `slot ${replica.slot} was not healthy within ${this.#desired.deadline / 1000} s: ${state.reason}`,
        },
      };
    const at = state.since + this.#desired.deadline + pauseAfter(replica.failures);
    return this.#replaceAt(at, replica, replica.failures + 1, {
      code: 'health-check-failed',
      reason: state.reason,
    });
  }

  #needOfExited(
    replica: ObservedReplica,
    state: Extract<ObservedReplica['state'], { phase: 'exited' }>,
  ): SlotNeed {
    const failure: Failure = {
      code: 'container-exited',
      reason: `the container of slot ${replica.slot} ended with exit code ${state.exitCode}`,
      exitCode: state.exitCode,
      lastLines: state.lastLines,
    };
    const everHealthy = state.wasHealthy && replica.failures < MOST_FAILURES;
    if (!this.#desired.proven && !everHealthy) return { stuck: failure };
    return this.#replaceAt(state.at + pauseAfter(replica.failures), replica, replica.failures, failure);
  }

  #replaceAt(at: Moment, replica: ObservedReplica, failures: number, failure: Failure): SlotNeed {
    if (this.#now >= at) return { step: this.#start(replica.slot, failures, replica, failure.reason) };
    if (at - this.#now > LONGEST_WAIT_MS) return { stuck: failure };
    return { step: { step: 'wait', until: at, reason: `${failure.reason}; pause before the next try` } };
  }

  #start(slot: number, failures: number, replaces: ObservedReplica | undefined, reason: string): Step {
    const generations = this.#observed.replicas.filter((replica) => replica.slot === slot);
    return {
      step: 'start-replica',
      revision: this.#desired.revision,
      slot,
      generation: Math.max(0, ...generations.map(({ generation }) => generation)) + 1,
      failures,
      ...(replaces && { replaces: idOf(replaces) }),
      avoid: replaces !== undefined && onBadMachine(replaces) ? [replaces.machine] : [],
      reason,
    };
  }

  #stopsOfOld(healthy: number): Step[] {
    const { count, serving } = this.#desired;
    if (healthy >= count) {
      const reason = `revision ${this.#desired.revision} serves`;
      const stops = this.#old.map((replica) => stop(replica, reason));
      return stops.length > 0 && !this.#desired.proven ? [{ step: 'promote', reason }, ...stops] : stops;
    }
    if (this.#observed.shortage === undefined) return [];
    const floor = Math.min(count, serving?.count ?? count);
    const spare = Math.max(0, healthy + this.#old.length - floor);
    return this.#old.slice(0, Math.min(spare, healthy)).map((replica) => stop(replica, 'makes room'));
  }
}

const isHealthy = ({ state }: ObservedReplica) => state.phase === 'healthy';
/** Has a container that runs. */
const isStarted = (replica: ObservedReplica) => isLive(replica) && replica.state.phase !== 'placed';
const onBadMachine = ({ state }: ObservedReplica) => state.phase === 'lost' || state.phase === 'placed';
const idOf = ({ revision, slot, generation }: ObservedReplica) => ({ revision, slot, generation });
const stop = (replica: ObservedReplica, reason: string): Step => ({
  step: 'stop-replica',
  ...idOf(replica),
  reason,
});
const one = (step: Step): Next => ({ kind: 'steps', steps: [step] });

/** Several replicas wait for one machine: it is asked for once. */
function distinct(steps: readonly Step[]): Step[] {
  const machines = new Set<string>();
  return steps.filter((step) => {
    if (step.step !== 'provision-machine' && step.step !== 'await-machine') return true;
    const seen = machines.has(step.machine);
    machines.add(step.machine);
    return !seen;
  });
}
