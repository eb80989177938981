import type { OrchestrationContext, Task } from 'durable-functions';
import {
  balanceIngress,
  beginIngressImage,
  deployIngress,
  dueCertificates,
  keepIngress,
  lookAtIngress,
  lookAtIngressImage,
  noteIngress,
  obtainCertificate,
  pushIngress,
} from '../../shared/ingress/ingress-activities.ts';
import type { IngressStep } from '../../shared/ingress/next-step.ts';
import { refusalOf } from '../../shared/machines/refusals.ts';
import { BUSY_PAUSE, later } from '../../shared/machines/waiting.ts';
import { MachineName } from '../../shared/model/names.ts';
import type { Outcome } from '../../shared/model/signature.ts';
import { callActivity, orchestration } from './call-activity.ts';

type Failure = { readonly code: string; readonly reason: string };

/** Milliseconds: between looks, for an image, for a balancer, and for all of it; the sweep goes on where it ends. */
const LOOK_MS = 2_000;
const LATER_LOOK_MS = 15_000;
const MANY_LOOKS = 30;
const IMAGE_MS = 600_000;
const BALANCER_MS = 900_000;
const ALL_MS = 1_800_000;

/** Asks what is next, does it, until nothing is. */
export function* keep(
  context: OrchestrationContext,
): Generator<Task, { state: 'done' | 'superseded' | 'failed' }, unknown> {
  const owner = context.df.instanceId;
  const began = timeOf(context);
  for (let looks = 0; ; looks += 1) {
    const looked = yield* callActivity(context, lookAtIngress, { owner, take: looks === 0 });
    if (looked.outcome === 'refused') return yield* end(context, failed(looked));
    if (looked.value.outcome === 'superseded') return { state: 'superseded' };
    const { step } = looked.value;
    context.df.setCustomStatus({ doing: `${step.step}: ${step.reason}` });
    // Routes reach the proxies that are there before anything else is done, and again when the others have come.
    if (looks === 0 || step.step === 'finish') yield* callActivity(context, pushIngress, {});
    if (step.step === 'finish') {
      yield* certify(context);
      return yield* end(context, undefined);
    }
    const failure = yield* take(context, step, looks);
    if (failure !== undefined) return yield* end(context, failure);
    if (timeOf(context) - began > ALL_MS)
      return yield* end(context, { code: 'ingress-slow', reason: `not in half an hour: ${step.reason}` });
  }
}

function* take(
  context: OrchestrationContext,
  step: Exclude<IngressStep, { step: 'finish' }>,
  looks: number,
): Generator<Task, Failure | undefined, unknown> {
  switch (step.step) {
    case 'wait':
      yield pause(context, looks);
      return undefined;
    case 'build-image':
      return yield* build(context, MachineName.parse(step.machine));
    case 'deploy':
    case 'remove': {
      const input = { owner: context.df.instanceId, remove: step.step === 'remove' };
      return failed(yield* callActivity(context, deployIngress, input));
    }
    case 'make-balancer':
      return yield* balance(context, [...step.members]);
    case 'remove-balancer':
      return yield* balance(context, undefined);
  }
}

function* build(
  context: OrchestrationContext,
  machine: MachineName,
): Generator<Task, Failure | undefined, unknown> {
  const began = timeOf(context);
  const begun = yield* callActivity(context, beginIngressImage, { machine });
  if (begun.outcome === 'refused') return failed(begun);
  for (let looks = 0; timeOf(context) - began < IMAGE_MS; looks += 1) {
    yield pause(context, looks);
    const look = yield* callActivity(context, lookAtIngressImage, { machine });
    if (look.outcome === 'refused') return failed(look);
    if (look.value.state === 'built') return undefined;
    if (look.value.state === 'failed') return { code: 'image-not-made', reason: look.value.reason };
  }
  return {
    code: 'image-not-made',
    reason: `it was not ready on ${machine} after ${IMAGE_MS / 60_000} minutes`,
  };
}

function* balance(
  context: OrchestrationContext,
  members: string[] | undefined,
): Generator<Task, Failure | undefined, unknown> {
  const began = timeOf(context);
  while (timeOf(context) - began < BALANCER_MS) {
    const progress = yield* callActivity(context, balanceIngress, members === undefined ? {} : { members });
    if (progress.outcome === 'refused') return failed(progress);
    const { value } = progress;
    if (value.state === 'done') return undefined;
    if (value.state === 'refused') {
      if (refusalOf(value.code, value.message).answer !== 'again')
        return { code: value.code, reason: value.message };
      yield context.df.createTimer(later(context.df.currentUtcDateTime, BUSY_PAUSE));
    } else if (value.afterMs > 0)
      yield context.df.createTimer(later(context.df.currentUtcDateTime, value.afterMs));
  }
  return { code: 'balancer-slow', reason: `ARM had not finished after ${BALANCER_MS / 60_000} minutes` };
}

/** Certificates one after the other; what fails is tried again by the sweep, when its time has come. */
function* certify(context: OrchestrationContext): Generator<Task, void, unknown> {
  const due = yield* callActivity(context, dueCertificates, {});
  if (due.outcome === 'refused') return;
  for (const host of due.value.hosts) yield* callActivity(context, obtainCertificate, { host });
}

function* end(
  context: OrchestrationContext,
  failure: Failure | undefined,
): Generator<Task, { state: 'done' | 'failed' }, unknown> {
  yield* callActivity(context, noteIngress, { owner: context.df.instanceId, ...(failure && { failure }) });
  return { state: failure === undefined ? 'done' : 'failed' };
}

const pause = (context: OrchestrationContext, looks: number): Task =>
  context.df.createTimer(later(context.df.currentUtcDateTime, looks < MANY_LOOKS ? LOOK_MS : LATER_LOOK_MS));

const timeOf = (context: OrchestrationContext): number => context.df.currentUtcDateTime.getTime();

const failed = (outcome: Outcome<unknown>): Failure | undefined =>
  outcome.outcome === 'refused' ? { code: outcome.code, reason: outcome.message } : undefined;

orchestration(keepIngress, (context) => keep(context));
