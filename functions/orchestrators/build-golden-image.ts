import type { OrchestrationContext, Task } from 'durable-functions';
import { builderSpec, IMAGE_BUILDERS } from '../../shared/machines/golden/builder-pool.ts';
import {
  adoptBuilder,
  type BuildGoldenImage,
  buildGoldenImage,
  callForImage,
  endGoldenImage,
  type GoldenImageBuilt,
  type ImageCall,
  recordGoldenImage,
} from '../../shared/machines/golden/golden-activities.ts';
import {
  provisioningId,
  provisionMachine,
  retireMachine,
  retirementId,
} from '../../shared/machines/provisioning.ts';
import { busyPause, later } from '../../shared/machines/waiting.ts';
import type { MachineName } from '../../shared/model/names.ts';
import { callActivity, callOrchestration, orchestration } from './call-activity.ts';
import { settle } from './settle.ts';

/** Milliseconds that ARM may take from the clean machine to its image. */
const CAPTURED_WITHIN = 1_800_000;

type Failure = Extract<GoldenImageBuilt, { status: 'failed' }>;

/** A machine is made, cleans itself, and becomes an image; then it is removed. */
export function* buildGolden(
  context: OrchestrationContext,
  asked: BuildGoldenImage,
): Generator<Task, GoldenImageBuilt, unknown> {
  const { profile, builder } = asked;
  const owner = context.df.instanceId;
  const recorded = yield* callActivity(context, recordGoldenImage, { ...asked, owner });
  if (recorded.outcome === 'refused') return failed(recorded.code, recorded.message);
  const { name, status } = recorded.value;
  if (status.state !== 'building' || status.owner !== owner)
    return failed('superseded', `${profile} is ${status.state} at another attempt`);
  const failure = yield* become(context, asked, name);
  const built: GoldenImageBuilt = failure ?? { status: 'ready' };
  // First, so that pools use it at once.
  yield* callActivity(context, endGoldenImage, { profile, owner, built });
  yield* remove(context, builder, failure === undefined ? 'it became an image' : `no image: ${failure.code}`);
  return built;
}

/** @returns why there is no image */
function* become(
  context: OrchestrationContext,
  { profile, base, sizes, attempt, builder: machine }: BuildGoldenImage,
  name: string,
): Generator<Task, Failure | undefined, unknown> {
  const request = {
    pool: IMAGE_BUILDERS,
    spec: builderSpec(base, sizes),
    machine,
    needs: { cpu: 0, memory: 0 },
    cause: `golden ${profile} ${attempt}`,
  };
  try {
    const made = yield* callOrchestration(context, provisionMachine, request, provisioningId(machine));
    if (made.status === 'failed') return made;
  } catch (error) {
    return failed('builder-failed', error instanceof Error ? error.message : String(error));
  }
  const owner = context.df.instanceId;
  const adopted = yield* callActivity(context, adoptBuilder, { machine, owner });
  if (adopted.outcome === 'refused') return failed(adopted.code, adopted.message);
  if (adopted.value?.owner !== owner)
    return failed('builder-gone', `${machine} was removed before it became an image`);
  const { vm } = adopted.value.resources;
  const deadline = context.df.currentUtcDateTime.getTime() + CAPTURED_WITHIN;
  const failure =
    (yield* insist(context, { call: 'deallocate', vm }, deadline)) ??
    (yield* insist(context, { call: 'generalize', vm }, deadline)) ??
    (yield* insist(context, { call: 'capture', vm, name, profile }, deadline));
  // ARM keeps an image resource whose capture failed.
  if (failure !== undefined) yield* insist(context, { call: 'remove', name }, deadline);
  return failure;
}

/** Makes a call of ARM until it is done: again where ARM was busy. */
function* insist(
  context: OrchestrationContext,
  call: ImageCall,
  deadline: number,
): Generator<Task, Failure | undefined, unknown> {
  for (let tries = 1; ; tries += 1) {
    const refusal = yield* settle(context, yield* callActivity(context, callForImage, call), deadline);
    if (refusal === undefined) return undefined;
    const next = later(context.df.currentUtcDateTime, busyPause(tries));
    if (refusal.answer !== 'again' || next.getTime() > deadline)
      return failed(refusal.code, `${call.call}: ${refusal.reason}`);
    yield context.df.createTimer(next);
  }
}

/** What is not removed is retired by the sweep, since its record's owner is gone. A failed one's record says why, for a day. */
function* remove(
  context: OrchestrationContext,
  machine: MachineName,
  reason: string,
): Generator<Task, void, unknown> {
  const input = { pool: IMAGE_BUILDERS, machine, reason };
  try {
    yield* callOrchestration(context, retireMachine, input, retirementId(machine));
  } catch {
    // The sweep finds it.
  }
}

const failed = (code: string, reason: string): Failure => ({ status: 'failed', code, reason });

orchestration(buildGoldenImage, buildGolden);
