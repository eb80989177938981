import type { OrchestrationContext, Task } from 'durable-functions';
import { beginRetirement, forgetMachine } from '../../shared/machines/machine-activities.ts';
import { type Retired, type RetireMachine, retireMachine } from '../../shared/machines/provisioning.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { removeResources } from './remove-resources.ts';

/** A machine goes: nothing new is placed there, its resources are deleted, then its record. */
export function* retire(
  context: OrchestrationContext,
  { machine, reason }: RetireMachine,
): Generator<Task, Retired, unknown> {
  const owner = context.df.instanceId;
  const begun = yield* callActivity(context, beginRetirement, { machine, reason, owner });
  if (begun.outcome === 'refused') return { status: 'failed', code: begun.code, reason: begun.message };
  if (begun.value === null) return { status: 'retired' };
  const refusal = yield* removeResources(context, begun.value);
  if (refusal !== undefined) return { status: 'failed', code: refusal.code, reason: refusal.reason };
  const forgotten = yield* callActivity(context, forgetMachine, { machine });
  return forgotten.outcome === 'done'
    ? { status: 'retired' }
    : { status: 'failed', code: forgotten.code, reason: forgotten.message };
}

orchestration(retireMachine, retire);
