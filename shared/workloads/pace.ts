import type { Amount, RolloutPolicy } from '../model/rollout-policy.ts';
import type { Moment } from './observed.ts';

/** A rollout policy in numbers of replicas and milliseconds. */
export interface Pace {
  readonly strategy: RolloutPolicy['strategy'];
  /** Replicas that may hold a container at once. */
  readonly limit: number;
  /** Replicas that stay healthy, once they were. */
  readonly floor: number;
  readonly stages: readonly Stage[];
  readonly bake: number;
  /** Failed starts at which the rollout fails. */
  readonly mostFailures: number;
  readonly stopsOnFailure: boolean;
}

interface Stage {
  /** Replicas of the new revision. */
  readonly count: number;
  /** Milliseconds; absent: until somebody resumes the rollout. */
  readonly pause: number | undefined;
}

/** How far a rollout is, beyond what its replicas say: kept in the service's row. */
export interface Progress {
  /** Number of the canary's step; as many as there are steps: all replicas. */
  readonly stage: number;
  /** When all replicas of the step were healthy. */
  readonly stageSince?: Moment | undefined;
  readonly bakeUntil?: Moment | undefined;
  /** Milliseconds that somebody let it pause, which its deadline does not count. */
  readonly paused?: number | undefined;
  /** Healthy replicas when it overtook a change of their count; absent: all that the revision before wanted. */
  readonly served?: number | undefined;
}

export const BEGUN: Progress = { stage: 0 };

const atMost = (amount: Amount, count: number, round: (value: number) => number): number =>
  typeof amount === 'number' ? amount : round((Number.parseInt(amount, 10) * count) / 100);

/**
 * @param count wanted replicas
 * @param serving replicas of the revision that serves, if one does
 */
export function paceOf(policy: RolloutPolicy | undefined, count: number, serving: number | undefined): Pace {
  const lower = Math.min(count, serving ?? count);
  if (policy === undefined)
    return {
      strategy: 'rolling',
      limit: Number.POSITIVE_INFINITY,
      floor: lower,
      stages: [],
      bake: 0,
      mostFailures: 1,
      stopsOnFailure: false,
    };
  const { strategy, surge, unavailable, steps = [], bake, breaker, onFailure } = policy;
  const upper = Math.max(count, serving ?? count);
  const more = surge === undefined ? Number.POSITIVE_INFINITY : atMost(surge, upper, Math.ceil);
  const fewer = Math.min(atMost(unavailable, lower, Math.floor), lower);
  // A share of few replicas may be none at all: one has to move.
  const stuck = more === 0 && fewer === 0;
  return {
    strategy,
    limit: upper + more,
    floor: Math.max(0, lower - (stuck ? 1 : fewer)),
    stages: steps.map(({ percent, pause }) => ({
      count: Math.ceil((percent * count) / 100),
      pause: pause === 'until-resumed' ? undefined : pause * 1000,
    })),
    bake: bake * 1000,
    mostFailures:
      breaker === undefined
        ? 1
        : Math.min(breaker.most, Math.max(breaker.least, Math.ceil((breaker.percent * count) / 100))),
    stopsOnFailure: onFailure === 'stop',
  };
}
