import type { OrchestrationContext, Task } from 'durable-functions';
import {
  type OrphansRemoved,
  type RemoveOrphans,
  removeOrphans,
} from '../../shared/machines/provisioning.ts';
import { orchestration } from './call-activity.ts';
import { removeAll } from './remove-resources.ts';

/** Deletes resources that belong to no machine. That they are gone the next sweep notes, once ARM lists them no more. */
export function* removeThem(
  context: OrchestrationContext,
  { orphans }: RemoveOrphans,
): Generator<Task, OrphansRemoved, unknown> {
  const refusal = yield* removeAll(context, orphans);
  return refusal === undefined
    ? { status: 'removed' }
    : { status: 'failed', code: refusal.code, reason: refusal.reason };
}

orchestration(removeOrphans, removeThem);
