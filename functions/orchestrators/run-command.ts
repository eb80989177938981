import type { OrchestrationContext, Task } from 'durable-functions';
import { lookPause, removalPause } from '../../shared/machines/run/pauses.ts';
import { lookAtCommand, removeCommand, runCommand } from '../../shared/machines/run/run-activities.ts';
import { later } from '../../shared/machines/waiting.ts';
import { callActivity, orchestration } from './call-activity.ts';

/** How often the removal is asked for here; the sweep goes on with it. */
const REMOVALS = 12;

/** Follows a run until it has ended, and removes its run command, of which a VM has no more than 25. */
export function* follow(
  context: OrchestrationContext,
  { run }: { run: string },
): Generator<Task, null, unknown> {
  const began = context.df.currentUtcDateTime.getTime();
  let deadline = Number.POSITIVE_INFINITY;
  for (;;) {
    const overdue: boolean = context.df.currentUtcDateTime.getTime() > deadline;
    const seen = yield* callActivity(context, lookAtCommand, { run, overdue });
    if (seen.outcome === 'done') {
      if (seen.value.over) break;
      deadline = seen.value.deadline;
    }
    const now = context.df.currentUtcDateTime;
    yield context.df.createTimer(later(now, lookPause(now.getTime() - began)));
  }
  for (let tries = 0; tries < REMOVALS; tries += 1) {
    const removed = yield* callActivity(context, removeCommand, { run });
    if (removed.outcome === 'done' && removed.value) break;
    yield context.df.createTimer(later(context.df.currentUtcDateTime, removalPause(tries)));
  }
  return null;
}

orchestration(runCommand, follow);
