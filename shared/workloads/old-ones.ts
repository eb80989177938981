import type { Failure, ObservedReplica } from './observed.ts';
import { isStandby, type Plan } from './plan.ts';
import { isHealthy } from './roles.ts';
import { idOf } from './slot-needs.ts';
import type { Next, Step } from './steps.ts';

/**
 * Which of those that served before go now.
 * @param healthy slots that the new revision serves
 * @param blocked slots that wait for others to go
 */
export function stopsOfOld(plan: Plan, healthy: number, blocked: number): Step[] {
  const { desired, pace, proven, progress, observed, roles, now } = plan;
  if (desired.hold !== undefined) return [];
  const others = [...roles.old, ...roles.surplus];
  if (!plan.inStage && healthy >= desired.count) {
    const reason = `revision ${desired.revision} serves`;
    const stops = others.map((replica) => plan.stop(replica, reason));
    if (stops.length === 0 || proven) return stops;
    const { bakeUntil } = progress;
    const baked = pace.bake === 0 || (bakeUntil !== undefined && now >= bakeUntil);
    if (pace.strategy === 'blue-green')
      return baked && !turnsOf(plan, healthy).some((turn) => turn.length > 0)
        ? [{ step: 'promote', reason }, ...stops]
        : [];
    if (pace.bake > 0) return bakeUntil === undefined ? [] : stops;
    return [{ step: 'promote', reason }, ...stops];
  }
  // Those that serve nobody go first, then those of neither revision.
  const serving = others.filter(isHealthy).length + healthy;
  // Where a rollback finds no room at all, one of the failed revision has to go first.
  const least =
    observed.shortage !== undefined && proven ? Math.min(pace.floor, desired.count - 1) : pace.floor;
  const spare = Math.max(0, serving - least);
  const idle = roles.old.filter((one) => !isHealthy(one)).slice(0, blocked);
  const inTheWay = [...roles.old.filter(isHealthy)]
    // By slot, as new ones are started: of a volume the old one of the slot goes before the new one comes.
    .sort((a, b) => Number(isStandby(b)) - Number(isStandby(a)) || a.slot - b.slot)
    .slice(0, Math.max(0, blocked - idle.length));
  const healthyOnes = [...roles.surplus, ...inTheWay].slice(0, spare);
  return [...idle, ...healthyOnes].map((replica) =>
    plan.stop(replica, roles.surplus.includes(replica) ? 'nothing wants it any more' : 'makes room'),
  );
}

/** A failed rollout leaves nothing of its revision but what has to serve until the old one does again. */
export function takeBack(plan: Plan, failure: Failure): Next {
  const { desired, roles, pace } = plan;
  const waiting = roles.old.filter(isStandby);
  if (waiting.length > 0)
    return {
      kind: 'steps',
      steps: [
        {
          step: 'switch-replicas',
          serve: waiting.map(idOf),
          rest: [],
          reason: `the rollout of revision ${desired.revision} failed: ${failure.code}`,
        },
      ],
    };
  const current = [...roles.current.values()];
  const useless = [
    ...roles.outdated,
    ...roles.moving,
    ...current.filter((one) => !isHealthy(one) || isStandby(one)),
  ];
  const serving = current.filter((one) => isHealthy(one) && !isStandby(one));
  const others = [...roles.old, ...roles.surplus].filter(isHealthy).length;
  const needed = desired.serving === undefined ? 0 : Math.max(0, pace.floor - others);
  const stops = [...useless, ...serving.slice(Math.min(needed, serving.length))].map((replica) =>
    plan.stop(replica, `the rollout of revision ${desired.revision} failed: ${failure.code}`),
  );
  return stops.length > 0 ? { kind: 'steps', steps: stops } : { kind: 'finish', failure };
}

/** The switch, where others should get requests than do. */
export function whatServes(plan: Plan, healthy: number): Step[] {
  const [serve, rest] = turnsOf(plan, healthy);
  if (serve.length === 0 && rest.length === 0) return [];
  const reason =
    plan.pace.strategy === 'canary' && plan.inStage
      ? `step ${plan.progress.stage + 1} of ${plan.pace.stages.length}: ${plan.target} of ${plan.desired.count} replicas are new`
      : `revision ${plan.desired.revision} is healthy as a whole`;
  return [{ step: 'switch-replicas', serve: serve.map(idOf), rest: rest.map(idOf), reason }];
}

type Turns = readonly [serve: ObservedReplica[], rest: ObservedReplica[]];

/** Those that are to get requests and do not, and those that get some and are not to. */
function turnsOf(plan: Plan, healthy: number): Turns {
  const { desired, pace, roles, progress, proven } = plan;
  const current = [...roles.current.values()].filter(isHealthy);
  const old = roles.old.filter(isHealthy);
  if (proven) return turns(current, []);
  if (pace.strategy === 'blue-green') {
    const over = progress.bakeUntil !== undefined || healthy >= desired.count || old.length === 0;
    return over ? turns(current, old) : turns(old, current);
  }
  if (pace.strategy === 'canary' && plan.inStage) {
    const share = Math.max(0, desired.count - current.length);
    const inOrder = [...old].sort((a, b) => a.slot - b.slot);
    return turns([...current, ...inOrder.slice(0, share)], inOrder.slice(share));
  }
  return turns(pace.strategy === 'canary' ? current : [...current, ...old], []);
}

const turns = (serve: readonly ObservedReplica[], rest: readonly ObservedReplica[]): Turns => [
  serve.filter(isStandby),
  rest.filter((one) => !isStandby(one)),
];
