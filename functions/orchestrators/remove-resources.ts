import type { OrchestrationContext, Task } from 'durable-functions';
import { RESOURCE_KINDS } from '../../shared/machines/cloud.ts';
import { deleteResource } from '../../shared/machines/machine-activities.ts';
import type { Refusal } from '../../shared/machines/refusals.ts';
import { BUSY_PAUSE, later, READY_WITHIN } from '../../shared/machines/waiting.ts';
import type { Machine } from '../../shared/model/machine.ts';
import { callActivity } from './call-activity.ts';
import { settle } from './settle.ts';

/**
 * Deletes what makes up a machine by its recorded names, in the order that ARM allows.
 * @returns why something stayed; undefined if nothing is left
 */
export function* removeResources(
  context: OrchestrationContext,
  { resources }: Pick<Machine, 'resources'>,
): Generator<Task, Refusal | undefined, unknown> {
  const deadline = context.df.currentUtcDateTime.getTime() + READY_WITHIN;
  const { vm, nic, disk, publicIp, securityGroup } = resources;
  const names = { vm, nic, disk, 'public-ip': publicIp, 'security-group': securityGroup };
  for (const kind of RESOURCE_KINDS) {
    const name = names[kind];
    while (name !== undefined) {
      const started = yield* callActivity(context, deleteResource, { kind, name });
      const refusal = yield* settle(context, started, deadline);
      if (refusal === undefined) break;
      const next = later(context.df.currentUtcDateTime, BUSY_PAUSE);
      if (refusal.answer !== 'again' || next.getTime() > deadline) return refusal;
      yield context.df.createTimer(next);
    }
  }
  return undefined;
}
