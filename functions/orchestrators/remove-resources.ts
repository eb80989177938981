import type { OrchestrationContext, Task } from 'durable-functions';
import { RESOURCE_KINDS, type ResourceKind } from '../../shared/machines/cloud.ts';
import { deleteResource } from '../../shared/machines/machine-activities.ts';
import { namesOf } from '../../shared/machines/machine-names.ts';
import type { Refusal } from '../../shared/machines/refusals.ts';
import { BUSY_PAUSE, later, REMOVED_WITHIN } from '../../shared/machines/waiting.ts';
import type { MachineResources } from '../../shared/model/machine.ts';
import { callActivity } from './call-activity.ts';
import { settle } from './settle.ts';

/** What is to be deleted, in any order. */
export type Removal = readonly { readonly kind: ResourceKind; readonly name: string }[];

/**
 * Deletes what makes up a machine by its recorded names, in the order that ARM allows.
 * @returns why something stayed; undefined if nothing is left
 */
export const removeResources = (
  context: OrchestrationContext,
  resources: readonly MachineResources[],
): Generator<Task, Refusal | undefined, unknown> => removeAll(context, resources.flatMap(namesOf));

/**
 * VMs, then NICs, disks, public addresses, security groups. What ARM still holds is asked for again: a NIC is reserved
 * for three minutes after a VM that failed.
 */
export function* removeAll(
  context: OrchestrationContext,
  removal: Removal,
): Generator<Task, Refusal | undefined, unknown> {
  const deadline = context.df.currentUtcDateTime.getTime() + REMOVED_WITHIN;
  for (const kind of RESOURCE_KINDS)
    for (const one of removal.filter((each) => each.kind === kind)) {
      const refusal = yield* removeOne(context, one, deadline);
      if (refusal !== undefined) return refusal;
    }
  return undefined;
}

/** @param deadline milliseconds since 1970; one that has passed makes it a single try */
export function* removeOne(
  context: OrchestrationContext,
  one: Removal[number],
  deadline: number,
): Generator<Task, Refusal | undefined, unknown> {
  for (;;) {
    const started = yield* callActivity(context, deleteResource, one);
    const refusal = yield* settle(context, started, deadline);
    if (refusal === undefined) return undefined;
    const next = later(context.df.currentUtcDateTime, BUSY_PAUSE);
    if ((refusal.answer !== 'again' && !isHeld(refusal.reason)) || next.getTime() > deadline) return refusal;
    yield context.df.createTimer(next);
  }
}

/** Codes that say: something else has it still. Its deletion is under way, or ARM notes it late. */
const HELD =
  /^(NicInUse|NicReservedForAnotherVm|PublicIPAddressCannotBeDeleted|InUseNetworkSecurityGroupCannotBeDeleted|OperationNotAllowed|Conflict|ImageInUse|CannotDeleteResource|OperationPreempted):/;

const isHeld = (reason: string): boolean => HELD.test(reason);
