import type { OrchestrationContext, Task } from 'durable-functions';
import { IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import { type LaunchFailure, type LaunchStep, launchFailure } from '../../shared/machines/launch-failure.ts';
import {
  failMachine,
  noteRefusal,
  noteRemoved,
  recordMachine,
} from '../../shared/machines/machine-activities.ts';
import { namesOf } from '../../shared/machines/machine-names.ts';
import { offeringText } from '../../shared/machines/offerings/offering.ts';
import {
  type Provisioned,
  type ProvisionMachine,
  provisionMachine,
} from '../../shared/machines/provisioning.ts';
import { busyPause, later } from '../../shared/machines/waiting.ts';
import type { Machine, MachineResources } from '../../shared/model/machine.ts';
import type { MachineName } from '../../shared/model/names.ts';
import { awaitClean } from './await-clean.ts';
import { awaitRegistration } from './await-registration.ts';
import { build } from './build-machine.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { removeOne, removeResources } from './remove-resources.ts';

/**
 * Records a machine, asks ARM for it in the sizes of its pool, and waits until its engine reports. Each attempt has
 * names of its own, recorded before ARM hears of them; its VM is gone before ARM is asked for the next.
 */
export function* provision(
  context: OrchestrationContext,
  request: ProvisionMachine,
): Generator<Task, Provisioned, unknown> {
  const { machine, spec } = request;
  const owner = context.df.instanceId;
  const launchBy = context.df.currentUtcDateTime.getTime() + spec.launchWithin * 1000;
  const tried: string[] = [];
  let last: LaunchFailure | undefined;
  let before: (MachineResources & { readonly uncertain: boolean }) | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const asked = yield* callActivity(context, recordMachine, {
      request,
      tried,
      attempt,
      left: before !== undefined,
      owner,
    });
    if (asked.outcome === 'refused') {
      // When no size is left, what ARM said of the last one tells more.
      const { code, message: reason, remedy } = asked;
      return yield* giveUp(context, machine, last ?? { code, reason, remedy });
    }
    const record = asked.value;
    const known = endOf(record, owner);
    if (known !== undefined) return known;
    // Only now: a VM that failed to ARM may still come up and report, and then it is the machine.
    const stays = before && (yield* clear(context, machine, before));
    if (stays !== undefined) return yield* giveUp(context, machine, stays);

    const built = yield* build(context, record, launchBy);
    if (built === undefined) {
      context.df.setCustomStatus('registration');
      const awaited = record.pool === IMAGE_BUILDERS ? awaitClean : awaitRegistration;
      const failure = yield* awaited(context, record, spec.registerWithin);
      return 'status' in failure ? failure : yield* giveUp(context, machine, failure);
    }
    const { step, refusal } = built;
    const { resources, size } = record;
    const { shortage, reason } = refusal;
    if (shortage !== undefined && step === 'vm')
      yield* callActivity(context, noteRefusal, { machine, shortage, reason });
    last = launchFailure(step, subjectOf(step, resources, size), refusal);
    const next = later(context.df.currentUtcDateTime, busyPause(attempt));
    if (refusal.answer === 'give-up' || next.getTime() > launchBy)
      return yield* giveUp(context, machine, last, refusal.by === 'refused');

    if (refusal.answer === 'next-size') tried.push(offeringText(record));
    else yield context.df.createTimer(next);
    before = { ...resources, uncertain: refusal.by === 'unanswered' };
  }
}

const subjectOf = (step: LaunchStep, resources: Machine['resources'], size: string): string => {
  const { vm, nic, publicIp = '', securityGroup = '' } = resources;
  const names: Partial<Record<LaunchStep, string>> = {
    nic,
    'public-ip': publicIp,
    'security-group': securityGroup,
  };
  return names[step] ?? `${vm} of size ${size}`;
};

/** What a record says that needs no more work of this orchestration. */
function endOf(machine: Machine, owner: string): Provisioned | undefined {
  const { name, status } = machine;
  if (status.state === 'ready') return { status: 'ready', machine };
  if (status.state === 'failed') return { status: 'failed', code: status.code, reason: status.reason };
  const isComing = status.state === 'provisioning' || status.state === 'booting';
  return isComing && machine.owner === owner
    ? undefined
    : {
        status: 'failed',
        code: 'machine-removed',
        reason: `${name} is ${status.state} by ${machine.owner}`,
      };
}

/**
 * Between two attempts: the VM of the one before must be gone, so that a machine is never two. The rest is tried once,
 * since ARM may hold it for minutes; it stays recorded until it is gone.
 * @returns why the VM is still there
 */
function* clear(
  context: OrchestrationContext,
  machine: MachineName,
  before: MachineResources & { readonly uncertain: boolean },
): Generator<Task, LaunchFailure | undefined, unknown> {
  const [vm, ...others] = namesOf(before);
  const patience = context.df.currentUtcDateTime.getTime() + VM_GONE_WITHIN;
  let refusal = vm && (yield* removeOne(context, vm, patience));
  if (vm !== undefined && refusal === undefined && before.uncertain) {
    yield context.df.createTimer(later(context.df.currentUtcDateTime, ANSWERED_WITHIN));
    refusal = yield* removeOne(context, vm, patience);
  }
  if (refusal !== undefined) return launchFailure('removal', before.vm, refusal);
  let isLeft = false;
  for (const one of others) isLeft = (yield* removeOne(context, one, 0)) !== undefined || isLeft;
  if (!isLeft) yield* callActivity(context, noteRemoved, { machine, vms: [before.vm] });
  return undefined;
}

const VM_GONE_WITHIN = 600_000;
/** Milliseconds after which ARM no longer does what it did not answer. */
const ANSWERED_WITHIN = 60_000;

/**
 * Records the failure first, so that nothing is placed there any more; then removes all that there may be. A machine
 * that reported at the last moment is ready.
 * @param certain false where ARM may yet do what it did not answer: then the sweep says when nothing is left
 */
function* giveUp(
  context: OrchestrationContext,
  machine: MachineName,
  { code, reason, remedy }: LaunchFailure,
  certain = true,
): Generator<Task, Provisioned, unknown> {
  const owner = context.df.instanceId;
  const failed = yield* callActivity(context, failMachine, { machine, owner, code, reason, remedy });
  const record = failed.outcome === 'done' ? failed.value : null;
  if (record !== null && record.status.state === 'failed' && record.leftovers.length > 0) {
    const left = yield* removeResources(context, record.leftovers);
    if (left === undefined && certain) {
      const vms = record.leftovers.map(({ vm }) => vm);
      yield* callActivity(context, noteRemoved, { machine, vms });
    }
  }
  const known = record === null ? undefined : endOf(record, owner);
  return known?.status === 'ready' ? known : { status: 'failed', code, reason };
}

orchestration(provisionMachine, provision);
