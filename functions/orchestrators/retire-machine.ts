import type { OrchestrationContext, Task } from 'durable-functions';
import { beginRetirement, forgetMachine, noteRemoved } from '../../shared/machines/machine-activities.ts';
import { type Retired, type RetireMachine, retireMachine } from '../../shared/machines/provisioning.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { removeResources } from './remove-resources.ts';

/** A machine goes: nothing new is placed there, its resources are deleted, then its record. */
export function* retire(
  context: OrchestrationContext,
  { machine, reason, expected, forget }: RetireMachine,
): Generator<Task, Retired, unknown> {
  const owner = context.df.instanceId;
  const asked = { machine, reason, owner, ...(expected && { expected }) };
  const begun = yield* callActivity(context, beginRetirement, asked);
  if (begun.outcome === 'refused') return { status: 'failed', code: begun.code, reason: begun.message };
  if (begun.value === null) return { status: 'retired' };
  const { resources, leftovers } = begun.value;
  const all = [resources, ...leftovers.filter(({ vm }) => vm !== resources.vm)];
  const refusal = yield* removeResources(context, all);
  if (refusal !== undefined) return { status: 'failed', code: refusal.code, reason: refusal.reason };
  const vms = all.map(({ vm }) => vm);
  const noted = yield* callActivity(context, noteRemoved, { machine, vms });
  const ended =
    noted.outcome === 'done'
      ? yield* callActivity(context, forgetMachine, { machine, failed: forget ?? false })
      : noted;
  return ended.outcome === 'done'
    ? { status: 'retired' }
    : { status: 'failed', code: ended.code, reason: ended.message };
}

orchestration(retireMachine, retire);
