import type { OrchestrationContext, Task } from 'durable-functions';
import { templateOf } from '../../shared/model/service.ts';
import { afterObservation, nothingObserved } from '../../shared/workloads/apply.ts';
import { ABORTED, nextSteps } from '../../shared/workloads/next-steps.ts';
import type { Failure, Observed } from '../../shared/workloads/observed.ts';
import { noteProgress, observeService, recordRollout } from '../../shared/workloads/replica-activities.ts';
import { desiredOf, type RolledOut, type RollOut, rollOut } from '../../shared/workloads/roll-out.ts';
import type { Pause } from '../../shared/workloads/steps.ts';
import { callActivity, orchestration } from './call-activity.ts';
import { takeSteps } from './take-steps.ts';

/** Steps after which the history is cut: each is about three events. */
const MOST_STEPS = 100;
const SUPERSEDED: RolledOut = { state: 'superseded' };

/** Brings one service to one revision: asks what is next and takes it, until nothing is next. */
export function* rollOutService(
  context: OrchestrationContext,
  input: RollOut,
): Generator<Task, RolledOut, unknown> {
  const desired = desiredOf(input);
  let observed = input.observed && withAbort(input, input.observed);
  let verified = false;
  let taken = 0;
  for (;;) {
    if (observed === undefined) {
      observed = yield* look(context, input, begun(input));
      if (observed === undefined) return SUPERSEDED;
      verified = true;
    }
    const next = nextSteps(desired, observed, context.df.currentUtcDateTime.getTime());
    if (next.kind !== 'steps') {
      // The world is looked at once more before it is believed: others may have died, or been made, meanwhile.
      if (verified)
        return next.kind === 'pause'
          ? yield* pause(context, input, observed, next.pause)
          : yield* finish(context, input, next.failure);
      observed = yield* look(context, input, observed);
      if (observed === undefined) return SUPERSEDED;
      verified = true;
      continue;
    }
    if (taken > MOST_STEPS) {
      context.df.continueAsNew({ ...input, observed });
      return SUPERSEDED;
    }
    taken += next.steps.length;
    context.df.setCustomStatus({
      doing: next.steps.map(({ step, reason }) => `${step}: ${reason}`).slice(0, 10),
    });
    observed = yield* takeSteps(context, input, observed, next.steps);
    if (observed === undefined) return SUPERSEDED;
    verified = false;
    if (!next.steps.some((step) => step.step === 'wait' && step.look === true)) continue;
    observed = yield* look(context, input, observed);
    if (observed === undefined) return SUPERSEDED;
    verified = true;
  }
}

const begun = (input: RollOut): Observed => {
  const { progress } = input;
  return withAbort(input, { ...nothingObserved(), ...(progress && { progress }) });
};

const withAbort = ({ abort }: RollOut, observed: Observed): Observed =>
  abort === undefined ? observed : { ...observed, failure: abort };

function* look(
  context: OrchestrationContext,
  { key, revision }: RollOut,
  before: Observed,
): Generator<Task, Observed | undefined, unknown> {
  const { spec } = revision;
  const found = yield* callActivity(context, observeService, {
    key,
    owner: context.df.instanceId,
    ...(spec.mode === 'one-per-machine' && { follows: { template: templateOf(revision), spec } }),
  });
  if (found.outcome === 'refused') throw new Error(`${found.code}: ${found.message}`);
  if (found.value.outcome === 'superseded') return undefined;
  const { replicas, leaving, slots } = found.value;
  return afterObservation(before, replicas, leaving, slots);
}

/** Leaves the rollout to whoever resumes it. */
function* pause(
  context: OrchestrationContext,
  { key, revision }: RollOut,
  { progress }: Observed,
  paused: Pause,
): Generator<Task, RolledOut, unknown> {
  const noted = yield* callActivity(context, noteProgress, {
    key,
    owner: context.df.instanceId,
    revision: revision.number,
    ...(progress && { progress }),
    pause: paused,
  });
  if (noted.outcome === 'refused') throw new Error(`${noted.code}: ${noted.message}`);
  context.df.setCustomStatus({ doing: [] });
  return noted.value.outcome === 'superseded' ? SUPERSEDED : { state: 'paused', reason: paused.reason };
}

/** Records the end. After a failure the revision that served before is made sure of. */
function* finish(
  context: OrchestrationContext,
  input: RollOut,
  failure: Failure | undefined,
): Generator<Task, RolledOut, unknown> {
  const { key, revision, cause } = input;
  const { rollout } = revision.spec;
  const stops = failure !== undefined && rollout?.onFailure === 'stop' && failure.code !== ABORTED;
  const stopped = stops && input.serving !== undefined;
  const goesBack = failure !== undefined && input.serving !== undefined && !stopped;
  const recorded = yield* callActivity(context, recordRollout, {
    key,
    owner: context.df.instanceId,
    revision: revision.number,
    ...(failure && { failure }),
    ...(stopped && { stopped }),
    release: !goesBack,
  });
  if (recorded.outcome === 'refused') throw new Error(`${recorded.code}: ${recorded.message}`);
  if (recorded.value.outcome === 'superseded') return SUPERSEDED;
  const { previous, epoch } = recorded.value;
  if (goesBack && previous !== undefined) {
    const back: RollOut = { key, revision: previous, proven: true, cause, failure, ...(epoch && { epoch }) };
    context.df.continueAsNew(back);
    return SUPERSEDED;
  }
  const first = input.failure ?? failure;
  context.df.setCustomStatus({ doing: [] });
  return first === undefined ? { state: 'done' } : { state: 'failed', failure: first };
}

orchestration(rollOut, rollOutService);
