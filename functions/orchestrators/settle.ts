import type { OrchestrationContext, Task } from 'durable-functions';
import type { Progress } from '../../shared/machines/cloud.ts';
import { pollOperation } from '../../shared/machines/machine-activities.ts';
import { type Refusal, refusalOf } from '../../shared/machines/refusals.ts';
import { later, pollDelay } from '../../shared/machines/waiting.ts';
import type { Outcome } from '../../shared/model/signature.ts';
import { callActivity } from './call-activity.ts';

/**
 * Polls what an activity started at ARM until it is done.
 * @param deadline no poll begins after it: milliseconds since 1970
 * @returns undefined when it is done, otherwise why not
 */
export function* settle(
  context: OrchestrationContext,
  started: Outcome<Progress>,
  deadline: number,
): Generator<Task, Refusal | undefined, unknown> {
  let outcome = started;
  for (let polls = 0; ; polls += 1) {
    if (outcome.outcome === 'refused')
      return { code: outcome.code, reason: outcome.message, answer: 'give-up' };
    const progress = outcome.value;
    if (progress.status === 'done') return undefined;
    if (progress.status === 'refused') return refusalOf(progress.code, progress.message);
    const now = context.df.currentUtcDateTime;
    if (now.getTime() >= deadline) {
      const reason = `Azure had not finished "${progress.operation.kind}" of ${progress.operation.name} in time`;
      return { code: 'cloud-slow', reason, answer: 'give-up' };
    }
    yield context.df.createTimer(later(now, pollDelay(progress.afterMs, polls)));
    outcome = yield* callActivity(context, pollOperation, { operation: progress.operation });
  }
}
