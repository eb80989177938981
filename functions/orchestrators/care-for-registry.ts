import type { OrchestrationContext, Task } from 'durable-functions';
import {
  addTotals,
  type CareProgress,
  type CareRun,
  careForPage,
  careForRegistry,
  endCare,
  phasesOf,
} from '../../shared/model/care-run.ts';
import { callActivity, orchestration } from './call-activity.ts';

/** Pages after which the orchestration begins anew where it stands: its history stays short. */
const PAGES = 50;

/** A run of garbage collection or retention: page by page, phase after phase, until the last, or until one fails. */
export function* care(
  context: OrchestrationContext,
  progress: CareProgress,
): Generator<Task, CareRun | null, unknown> {
  const { order } = progress;
  const phases = phasesOf[order.kind];
  let { phase, cursor, page, totals } = progress;
  const end = function* (outcome: Pick<CareRun, 'state' | 'reason'>): Generator<Task, CareRun, unknown> {
    const endedAt = context.df.currentUtcDateTime.toISOString();
    const run: CareRun = { ...order, ...outcome, endedAt, totals };
    yield* callActivity(context, endCare, run);
    return run;
  };
  for (let done = 0; ; done += 1) {
    const current = phases[phase];
    if (current === undefined) return yield* end({ state: 'done' });
    if (done === PAGES) {
      context.df.continueAsNew({ order, phase, cursor, page, totals } satisfies CareProgress);
      return null;
    }
    const outcome = yield* callActivity(context, careForPage, { order, phase: current, cursor, page });
    if (outcome.outcome === 'refused') return yield* end({ state: 'failed', reason: outcome.message });
    totals = addTotals(totals, outcome.value.totals);
    cursor = outcome.value.cursor;
    page += 1;
    if (cursor === undefined) phase += 1;
  }
}

orchestration(careForRegistry, care);
