import { LONGEST_WAIT_MS, pauseAfter } from './back-off.ts';
import type { Desired } from './next-steps.ts';
import { type Failure, isLive, type Moment, type Observed, type ObservedReplica } from './observed.ts';
import { isStarted, leaves } from './roles.ts';
import type { Step } from './steps.ts';

/** A shortage of room that lasts this long ends the rollout. */
const SHORTAGE_MS = 60_000;
/** Unanswered starts after which a replica goes to another machine. */
const MOST_TRIES = 4;
/** Early ends after which a revision that was never healthy is given up. */
const MOST_FAILURES = 3;

/** What is known where a slot's need is asked for. */
export interface Situation {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly now: Moment;
  /** The revision was healthy before: what dies is replaced. Otherwise it is the rollout that fails. */
  readonly proven: boolean;
  /** Starts of this revision that failed, and how many fail the rollout. */
  readonly failures: number;
  readonly mostFailures: number;
  /** All were healthy, and whatever fails now fails the rollout. */
  readonly bakes: boolean;
}

/** What a slot needs: a step, or nothing since it is healthy; `stuck` if only time or somebody can help. */
export type SlotNeed =
  | { readonly step: Step }
  | { readonly stuck: Failure }
  | 'healthy'
  | 'ended'
  | 'nothing';

export function needOf(situation: Situation, slot: number, replica: ObservedReplica | undefined): SlotNeed {
  const { observed } = situation;
  if (replica === undefined) {
    if (waitsForRoom(situation)) return shortTooLong(situation) ?? 'nothing';
    return shortTooLong(situation) ?? { step: start(situation, slot, 0, undefined, 'the slot is empty') };
  }
  const move = leaves(observed, replica) && isLive(replica) ? moveOf(situation, replica) : undefined;
  if (move !== undefined) return move;
  const { state } = replica;
  switch (state.phase) {
    case 'healthy':
      return 'healthy';
    case 'placed':
      return needOfPlaced(situation, replica, state);
    case 'running':
      return { step: { step: 'check-replica', ...idOf(replica), reason: 'it was started' } };
    case 'unhealthy':
      return needOfUnhealthy(situation, replica, state);
    case 'exited':
      return needOfExited(situation, replica, state);
    case 'lost': {
      const reason = `machine ${replica.machine} is lost`;
      return { step: start(situation, slot, replica.failures, replica, reason) };
    }
  }
}

/** Elsewhere first; undefined where there is no room: it stays for as long as its machine does. */
function moveOf(situation: Situation, replica: ObservedReplica): SlotNeed | undefined {
  if (isStarted(replica) && shortTooLong(situation) !== undefined) return undefined;
  if (waitsForRoom(situation)) return 'nothing';
  const reason = `machine ${replica.machine} is drained`;
  const replaces = isStarted(replica) ? undefined : replica;
  return { step: start(situation, replica.slot, replica.failures, replaces, reason) };
}

const waitsForRoom = ({ observed: { shortage }, now }: Situation): boolean =>
  shortage !== undefined && now < shortage.retryAt;

function shortTooLong({ observed: { shortage }, now }: Situation): SlotNeed | undefined {
  if (shortage === undefined || now - shortage.since < SHORTAGE_MS) return undefined;
  return { stuck: { code: shortage.code ?? 'no-room', reason: shortage.reason } };
}

function needOfPlaced(
  situation: Situation,
  replica: ObservedReplica,
  state: { readonly tries: number; readonly retryAt: Moment },
): SlotNeed {
  const { observed, now } = situation;
  const elsewhere = (failure: Failure): SlotNeed =>
    replica.failures + 1 >= MOST_FAILURES
      ? { stuck: failure }
      : { step: start(situation, replica.slot, replica.failures + 1, replica, failure.reason) };
  const machine = observed.coming.find(({ name }) => name === replica.machine);
  if (machine?.failure !== undefined) return elsewhere(machine.failure);
  if (machine !== undefined) {
    const wait = { machine: machine.name, reason: 'no machine that is ready has room' };
    const request = machine.provision;
    return request === undefined
      ? { step: { step: 'await-machine', ...wait } }
      : { step: { step: 'provision-machine', ...wait, request } };
  }
  if (state.tries >= MOST_TRIES)
    return elsewhere({
      code: 'engine-unreachable',
      reason: `the engine of machine ${replica.machine} does not answer`,
    });
  if (now < state.retryAt)
    return {
      step: { step: 'wait', until: state.retryAt, reason: `machine ${replica.machine} did not answer` },
    };
  const { failures } = replica;
  const reason = 'room is reserved for it';
  return { step: { step: 'start-replica', ...idOf(replica), failures, avoid: [], reason } };
}

function needOfUnhealthy(
  situation: Situation,
  replica: ObservedReplica,
  state: { readonly since: Moment; readonly reason: string; readonly dead?: boolean },
): SlotNeed {
  const { desired, now, proven, failures, mostFailures } = situation;
  const patience = state.dead === true ? 0 : desired.deadline;
  if (now - state.since < patience)
    return { step: { step: 'check-replica', ...idOf(replica), reason: state.reason } };
  const failure: Failure = {
    code: 'health-check-failed',
    reason:
      state.dead === true
        ? `slot ${replica.slot} does not live: ${state.reason}`
        : `slot ${replica.slot} was not healthy within ${desired.deadline / 1000} s: ${state.reason}`,
  };
  if (!proven && failures + 1 >= mostFailures) return { stuck: failure };
  const at = state.since + patience + pauseAfter(replica.failures);
  return replaceAt(
    situation,
    at,
    replica,
    replica.failures + 1,
    proven ? { ...failure, reason: state.reason } : failure,
  );
}

function needOfExited(
  situation: Situation,
  replica: ObservedReplica,
  state: Extract<ObservedReplica['state'], { phase: 'exited' }>,
): SlotNeed {
  const { desired, proven, failures, mostFailures, bakes } = situation;
  const failure: Failure = {
    code: 'container-exited',
    reason: `the container of slot ${replica.slot} ended with exit code ${state.exitCode}`,
    exitCode: state.exitCode,
    lastLines: state.lastLines,
  };
  const { restart = 'always' } = desired;
  if (restart !== 'always' && state.exitCode === 0) return 'ended';
  if (restart === 'never') return proven ? 'ended' : { stuck: failure };
  const everHealthy = state.wasHealthy && !bakes && replica.failures < MOST_FAILURES;
  if (!proven && !everHealthy && Math.max(1, failures) >= mostFailures) return { stuck: failure };
  const at = state.at + pauseAfter(replica.failures);
  return replaceAt(situation, at, replica, replica.failures, failure);
}

function replaceAt(
  situation: Situation,
  at: Moment,
  replica: ObservedReplica,
  failures: number,
  failure: Failure,
): SlotNeed {
  if (situation.now >= at) return { step: start(situation, replica.slot, failures, replica, failure.reason) };
  // Nobody stays only to wait; a rollout that was never healthy has nobody else who would go on with it.
  if (at - situation.now > LONGEST_WAIT_MS && situation.proven) return { stuck: failure };
  return {
    step: { step: 'wait', until: at, reason: `${failure.reason}; pause before the next try` },
  };
}

export function start(
  { desired, observed }: Pick<Situation, 'desired' | 'observed'>,
  slot: number,
  failures: number,
  replaces: ObservedReplica | undefined,
  reason: string,
): Step {
  const generations = observed.replicas.filter((replica) => replica.slot === slot);
  return {
    step: 'start-replica',
    revision: desired.revision,
    slot,
    generation: Math.max(...generations.map(({ generation }) => generation + 1), desired.epoch ?? 1),
    failures,
    ...(replaces && { replaces: idOf(replaces) }),
    avoid: replaces !== undefined && onBadMachine(replaces) ? [replaces.machine] : [],
    reason,
  };
}

export const idOf = ({ revision, slot, generation }: ObservedReplica) => ({ revision, slot, generation });
const onBadMachine = ({ state }: ObservedReplica) => state.phase === 'lost' || state.phase === 'placed';
