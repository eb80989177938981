import type { OrchestrationContext, Task } from 'durable-functions';
import type { Progress } from '../../shared/machines/cloud.ts';
import { pollOperation } from '../../shared/machines/machine-activities.ts';
import { type Refusal, refusalOf } from '../../shared/machines/refusals.ts';
import { BUSY_PAUSE, later, pollDelay } from '../../shared/machines/waiting.ts';
import type { Outcome } from '../../shared/model/signature.ts';
import { callActivity } from './call-activity.ts';

/** `refused`: ARM said so, at once or in a poll; `unanswered`: whether it was, or will be, done is not known. */
export interface Unsettled extends Refusal {
  readonly by: 'refused' | 'unanswered';
}

/**
 * Polls what an activity started at ARM until it is done. A poll that gets no answer says nothing of the operation: it
 * is polled again.
 * @param deadline no poll begins after it: milliseconds since 1970
 * @returns undefined when it is done, otherwise why not
 */
export function* settle(
  context: OrchestrationContext,
  started: Outcome<Progress>,
  deadline: number,
): Generator<Task, Unsettled | undefined, unknown> {
  if (started.outcome === 'refused') return unsettled(started);
  let progress = started.value;
  for (let polls = 0; ; polls += 1) {
    if (progress.status === 'done') return undefined;
    if (progress.status === 'refused')
      return {
        ...refusalOf(progress.code, progress.message),
        by: progress.uncertain === true ? 'unanswered' : 'refused',
      };
    const now = context.df.currentUtcDateTime;
    const { operation, afterMs } = progress;
    if (now.getTime() >= deadline) {
      const reason = `Azure had not finished "${operation.kind}" of ${operation.name} in time`;
      return { code: 'cloud-slow', reason, answer: 'give-up', by: 'unanswered' };
    }
    yield context.df.createTimer(later(now, pollDelay(afterMs, polls)));
    const outcome: Outcome<Progress> = yield* callActivity(context, pollOperation, { operation });
    if (outcome.outcome === 'done') progress = outcome.value;
    else if (outcome.code !== UNANSWERED) return unsettled(outcome);
    else progress = { status: 'going', operation, afterMs: BUSY_PAUSE };
  }
}

/** Code of an activity that failed at every attempt: storage or ARM could not be reached, or ARM asked to wait. */
const UNANSWERED = 'activity-failed';

const unsettled = ({ code, message }: Extract<Outcome<unknown>, { outcome: 'refused' }>): Unsettled =>
  code === UNANSWERED
    ? { code, reason: message, answer: 'again', by: 'unanswered' }
    : { code, reason: message, answer: 'give-up', by: 'refused' };
