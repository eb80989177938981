import { LONGEST_WAIT_MS } from './back-off.ts';
import type { Moment } from './observed.ts';
import type { Progress } from './pace.ts';
import type { Plan } from './plan.ts';
import type { Next, Pause } from './steps.ts';

/** Within a wait everything is looked at this often; milliseconds. */
const LOOK_MS = 10_000;

/** What a rollout does that has nothing to start or to stop; undefined if it is done. */
export function inSteps(plan: Plan, healthy: number): Next | undefined {
  const { desired, pace, progress, proven, now } = plan;
  if (desired.hold !== undefined)
    return { kind: 'pause', pause: { why: 'asked', reason: 'everything stands still' } };
  if (proven) return undefined;
  const stage = plan.inStage ? pace.stages[progress.stage] : undefined;
  if (stage !== undefined) {
    const words = `step ${progress.stage + 1} of ${pace.stages.length}: ${healthy} of ${desired.count} replicas are new and healthy`;
    const { stageSince, ...rest } = progress;
    if (stageSince === undefined) return note({ ...progress, stageSince: now }, words);
    if (stage.pause === undefined)
      return {
        kind: 'pause',
        pause: { why: 'step', reason: `${words}; it waits until somebody resumes it` },
      };
    const until = stageSince + stage.pause;
    if (now >= until)
      return note({ ...rest, stage: progress.stage + 1 }, `${words}, and were for ${stage.pause / 1000} s`);
    return waitUntil(plan, { why: 'step', reason: `${words}; it waits for ${stage.pause / 1000} s`, until });
  }
  // Where nothing served before there is nothing to go back to.
  if (pace.bake === 0 || desired.serving === undefined) return undefined;
  const { bakeUntil } = progress;
  const words = `revision ${desired.revision} serves, and bakes for ${pace.bake / 1000} s`;
  if (bakeUntil === undefined) return note({ ...progress, bakeUntil: now + pace.bake }, words);
  return now >= bakeUntil ? undefined : waitUntil(plan, { why: 'bake', reason: words, until: bakeUntil });
}

const note = (progress: Progress, reason: string): Next => ({
  kind: 'steps',
  steps: [{ step: 'note-progress', progress, reason }],
});

/** A long wait is nobody's: the sweep resumes the rollout. */
function waitUntil({ now }: Plan, pause: Pause & { readonly until: Moment }): Next {
  const { until, reason } = pause;
  if (until - now > LONGEST_WAIT_MS) return { kind: 'pause', pause };
  const step = { step: 'wait', until: Math.min(until, now + LOOK_MS), look: true, reason } as const;
  return { kind: 'steps', steps: [step] };
}
