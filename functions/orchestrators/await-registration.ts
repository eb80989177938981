import type { OrchestrationContext, Task } from 'durable-functions';
import { bootFailure } from '../../shared/machines/boot-report.ts';
import { type LaunchFailure, notRegistered } from '../../shared/machines/launch-failure.ts';
import { lookAtMachine, READY_EVENT } from '../../shared/machines/machine-activities.ts';
import type { Provisioned } from '../../shared/machines/provisioning.ts';
import { later } from '../../shared/machines/waiting.ts';
import { Machine } from '../../shared/model/machine.ts';
import { callActivity } from './call-activity.ts';

/**
 * That ARM made the VM does not mean that its engine works: the machine itself says so, or that its cloud-init failed.
 * @param seconds how long it may take
 * @returns how it ended, or why the machine has to be given up
 */
export function* awaitRegistration(
  context: OrchestrationContext,
  { name: machine }: Machine,
  seconds: number,
): Generator<Task, Provisioned | LaunchFailure, unknown> {
  const deadline = later(context.df.currentUtcDateTime, seconds * 1000);
  for (;;) {
    const told = context.df.waitForExternalEvent(READY_EVENT);
    const timer = context.df.createTimer(deadline);
    const first = yield context.df.Task.any([told, timer]);
    if (first !== told) break;
    timer.cancel();
    const end = endOf(Machine.parse(told.result));
    if (end !== undefined) return end;
  }
  // The event may have been lost with the storage's last seconds; the record is what counts.
  const record = yield* callActivity(context, lookAtMachine, { machine });
  const end = record.outcome === 'done' && record.value !== null ? endOf(record.value) : undefined;
  return end ?? notRegistered(machine, seconds);
}

function endOf(machine: Machine): Provisioned | LaunchFailure | undefined {
  const { name, status } = machine;
  if (status.state === 'ready') return { status: 'ready', machine };
  if (status.state === 'retiring')
    return { status: 'failed', code: 'machine-removed', reason: `${name} was removed: ${status.reason}` };
  return bootFailure(machine);
}
