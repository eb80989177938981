import type { OrchestrationContext, Task } from 'durable-functions';
import { type RefreshCopy, refreshCopy, refreshPushed } from '../../shared/events/refresh-copy.ts';
import { callActivity, orchestration } from './call-activity.ts';

/** About an hour in all: a registry tells of a push before all of it can be had, and may be away for a while. */
const PATIENT = { first: 2_000, attempts: 14, longest: 600_000 };

type Ended = {
  readonly state: 'unchanged' | 'moved' | 'no-copy' | 'refused';
  readonly reason?: string;
};

/** A push elsewhere moved a tag that we have a copy of: the copy's push is what rolls services out. */
export function* refresh(context: OrchestrationContext, input: RefreshCopy): Generator<Task, Ended, unknown> {
  const done = yield* callActivity(context, refreshCopy, input, PATIENT);
  if (done.outcome === 'refused') return { state: 'refused', reason: done.message };
  return { state: done.value.outcome };
}

orchestration(refreshPushed, refresh);
