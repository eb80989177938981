import type { RestartPolicy, RolloutPolicy } from '../model/rollout-policy.ts';
import { gateOf } from './gates.ts';
import type { Failure, Moment, Observed } from './observed.ts';
import { stopsOfOld, takeBack, whatServes } from './old-ones.ts';
import { Plan } from './plan.ts';
import { inSteps } from './stages.ts';
import type { Next, Step } from './steps.ts';
import { tendOld } from './tend-old.ts';

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
  /** Absent: all new ones at once, and the old ones go when every new one is healthy. */
  readonly policy?: RolloutPolicy | undefined;
  /** When the rollout has to be done. */
  readonly until?: Moment | undefined;
  /** Nothing goes on, and what died is made anew; `stopped`: only of what served before. */
  readonly hold?: 'paused' | 'stopped' | undefined;
  readonly restart?: RestartPolicy | undefined;
  /** Services that have to be healthy first. */
  readonly dependsOn?: readonly string[] | undefined;
  /** A step has to succeed first. */
  readonly before?: boolean | undefined;
  /** Grows with every orchestration of the service: no generation is below it, so that none is given out twice. */
  readonly epoch?: number | undefined;
}

/**
 * The next steps from what is observed to what is desired, each with its reason. New slots are started as far as the
 * policy's limit lets, and old ones stopped where they are in the way or when every new one is healthy; where room is
 * short, old ones go one by one for those new ones that are healthy already. Of all replicas as many stay healthy as the
 * policy's floor says. A replica on a machine that is drained serves until its slot is healthy elsewhere.
 */
export function nextSteps(desired: Desired, observed: Observed, now: Moment): Next {
  const plan = new Plan(desired, observed, now);
  const { failure } = observed;
  if (failure !== undefined && desired.hold !== undefined)
    return inSteps(plan, 0) ?? { kind: 'finish', failure };
  if (failure !== undefined && !plan.proven)
    return plan.pace.stopsOnFailure && failure.code !== ABORTED
      ? { kind: 'finish', failure }
      : takeBack(plan, failure);
  return goOn(plan);
}

/** Code of a rollout that somebody ended. */
export const ABORTED = 'aborted';

function goOn(plan: Plan): Next {
  const { desired, observed, now, proven } = plan;
  const gate = gateOf(plan);
  if (gate !== undefined) return gate;
  const { steps, stuck, healthy, blocked, waitsForRoom } = plan.needs();
  const [failure] = stuck;
  if (failure !== undefined && !proven && desired.hold === undefined) return giveUp(failure);
  const late = desired.until !== undefined && now >= desired.until && !proven && desired.hold === undefined;
  if (late) return giveUp(lateness(plan, healthy, steps));
  steps.unshift(...plan.roles.outdated.map((replica) => plan.stop(replica, 'nothing wants it any more')));
  const rest = plan.isAtRest(healthy);
  if (rest) steps.push(...tendOld(plan, steps));
  steps.push(...stopsOfOld(plan, healthy, blocked));
  const isStill = steps.every(({ step }) => step === 'wait');
  if (isStill) steps.push(...whatServes(plan, healthy));
  const actions = distinct(steps.filter(({ step }) => step !== 'wait'));
  if (actions.length > 0) return { kind: 'steps', steps: actions };
  const waits = steps.flatMap((step) => (step.step === 'wait' ? [step] : []));
  const { shortage } = observed;
  if (shortage !== undefined && shortage.retryAt > now && waitsForRoom)
    waits.push({ step: 'wait', until: shortage.retryAt, reason: shortage.reason });
  const [first] = waits.sort((a, b) => a.until - b.until);
  if (first !== undefined)
    return one({ ...first, until: Math.min(first.until, desired.until ?? first.until) });
  return inSteps(plan, healthy) ?? { kind: 'finish', ...(failure !== undefined && { failure }) };
}

function lateness({ desired }: Plan, healthy: number, steps: readonly Step[]): Failure {
  const last = steps.at(-1)?.reason ?? 'nothing that Berth does';
  return {
    code: 'rollout-deadline',
    reason: `the rollout was not done within ${desired.policy?.deadline ?? 0} s: ${healthy} of ${desired.count} new replicas are healthy; it waits for: ${last}`,
  };
}

const one = (step: Step): Next => ({ kind: 'steps', steps: [step] });
const giveUp = (failure: Failure): Next => one({ step: 'give-up', failure, reason: failure.reason });

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
