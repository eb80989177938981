import type { OrchestrationContext, Task } from 'durable-functions';
import {
  createNic,
  createVirtualMachine,
  ensureNetwork,
  failMachine,
  lookAtMachine,
  READY_EVENT,
  recordMachine,
} from '../../shared/machines/machine-activities.ts';
import {
  type Provisioned,
  type ProvisionMachine,
  provisionMachine,
} from '../../shared/machines/provisioning.ts';
import type { Refusal } from '../../shared/machines/refusals.ts';
import { BUSY_PAUSE, later, READY_WITHIN } from '../../shared/machines/waiting.ts';
import { Machine } from '../../shared/model/machine.ts';
import type { MachineName } from '../../shared/model/names.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { removeResources } from './remove-resources.ts';
import { settle } from './settle.ts';

/** Records a machine, asks ARM for it in the sizes of its pool, and waits until its engine reports. */
export function* provision(
  context: OrchestrationContext,
  request: ProvisionMachine,
): Generator<Task, Provisioned, unknown> {
  const { machine } = request;
  const deadline = context.df.currentUtcDateTime.getTime() + READY_WITHIN;
  const tried: string[] = [];
  let refusal: Refusal | undefined;
  for (;;) {
    const owner = context.df.instanceId;
    const recorded = yield* callActivity(context, recordMachine, { request, tried, owner });
    if (recorded.outcome === 'refused') {
      // When no size is left, what ARM said of the last one tells more.
      const { code, reason } = refusal ?? { code: recorded.code, reason: recorded.message };
      return yield* giveUp(context, machine, code, reason);
    }
    const { status } = recorded.value;
    if (status.state === 'ready') return { status: 'ready', machine: recorded.value };
    if (status.state === 'failed') return { status: 'failed', code: status.code, reason: status.reason };

    refusal = yield* build(context, machine, deadline);
    if (refusal === undefined) return yield* awaitReady(context, machine, deadline);
    const next = later(context.df.currentUtcDateTime, BUSY_PAUSE);
    if (refusal.answer === 'give-up' || next.getTime() > deadline)
      return yield* giveUp(context, machine, refusal.code, refusal.reason, recorded.value);
    if (refusal.answer === 'again') {
      yield context.df.createTimer(next);
      continue;
    }
    // ARM keeps a VM that could not be allocated.
    tried.push(recorded.value.size);
    const left = yield* removeResources(context, recorded.value);
    if (left !== undefined) return yield* giveUp(context, machine, left.code, left.reason);
  }
}

/** Network, NIC, VM, each done before the next. */
function* build(
  context: OrchestrationContext,
  machine: MachineName,
  deadline: number,
): Generator<Task, Refusal | undefined, unknown> {
  const network = yield* callActivity(context, ensureNetwork, {});
  const nic =
    (yield* settle(context, network, deadline)) ??
    (yield* settle(context, yield* callActivity(context, createNic, { machine }), deadline));
  if (nic !== undefined) return nic;
  return yield* settle(context, yield* callActivity(context, createVirtualMachine, { machine }), deadline);
}

/** That ARM made the VM does not mean that its engine works: the machine itself says so. */
function* awaitReady(
  context: OrchestrationContext,
  machine: MachineName,
  deadline: number,
): Generator<Task, Provisioned, unknown> {
  const ready = context.df.waitForExternalEvent(READY_EVENT);
  const timer = context.df.createTimer(
    later(context.df.currentUtcDateTime, deadline - context.df.currentUtcDateTime.getTime()),
  );
  const first = yield context.df.Task.any([ready, timer]);
  if (first === ready) {
    timer.cancel();
    return { status: 'ready', machine: Machine.parse(ready.result) };
  }
  // The event may have been lost with the storage's last seconds; the record is what counts.
  const record = yield* callActivity(context, lookAtMachine, { machine });
  if (record.outcome === 'done' && record.value?.status.state === 'ready')
    return { status: 'ready', machine: record.value };
  const reason = `${machine} did not report within ${READY_WITHIN / 1000} s`;
  const known = record.outcome === 'done' ? record.value : null;
  return yield* giveUp(context, machine, 'machine-not-registered', reason, known ?? undefined);
}

/** Records the failure first, so that nothing is placed there any more; the sweep removes what stays. */
function* giveUp(
  context: OrchestrationContext,
  machine: MachineName,
  code: string,
  reason: string,
  record?: Machine,
): Generator<Task, Provisioned, unknown> {
  yield* callActivity(context, failMachine, { machine, code, reason });
  if (record !== undefined) yield* removeResources(context, record);
  return { status: 'failed', code, reason };
}

orchestration(provisionMachine, provision);
