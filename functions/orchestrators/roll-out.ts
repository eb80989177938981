import type { OrchestrationContext, Task } from 'durable-functions';
import { afterObservation, nothingObserved } from '../../shared/workloads/apply.ts';
import { nextSteps } from '../../shared/workloads/next-steps.ts';
import type { Failure, Observed } from '../../shared/workloads/observed.ts';
import { observeService, recordRollout } from '../../shared/workloads/replica-activities.ts';
import { desiredOf, type RolledOut, type RollOut, rollOut } from '../../shared/workloads/roll-out.ts';
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
  let observed = input.observed;
  let verified = false;
  let taken = 0;
  for (;;) {
    if (observed === undefined) {
      observed = yield* look(context, input, nothingObserved());
      if (observed === undefined) return SUPERSEDED;
      verified = true;
    }
    const next = nextSteps(desired, observed, context.df.currentUtcDateTime.getTime());
    if (next.kind === 'finish') {
      // The world is looked at once more before it is believed: others may have died, or been made, meanwhile.
      if (verified) return yield* finish(context, input, next.failure);
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
  }
}

function* look(
  context: OrchestrationContext,
  { key }: RollOut,
  before: Observed,
): Generator<Task, Observed | undefined, unknown> {
  const found = yield* callActivity(context, observeService, { key, owner: context.df.instanceId });
  if (found.outcome === 'refused') throw new Error(`${found.code}: ${found.message}`);
  if (found.value.outcome === 'superseded') return undefined;
  return afterObservation(before, found.value.replicas, found.value.leaving);
}

/** Records the end. After a failure the revision that served before is made sure of. */
function* finish(
  context: OrchestrationContext,
  input: RollOut,
  failure: Failure | undefined,
): Generator<Task, RolledOut, unknown> {
  const { key, revision, cause } = input;
  const goesBack = failure !== undefined && input.serving !== undefined;
  const recorded = yield* callActivity(context, recordRollout, {
    key,
    owner: context.df.instanceId,
    revision: revision.number,
    ...(failure && { failure }),
    release: !goesBack,
  });
  if (recorded.outcome === 'refused') throw new Error(`${recorded.code}: ${recorded.message}`);
  if (recorded.value.outcome === 'superseded') return SUPERSEDED;
  const { previous } = recorded.value;
  if (goesBack && previous !== undefined) {
    context.df.continueAsNew({ key, revision: previous, proven: true, cause, failure } satisfies RollOut);
    return SUPERSEDED;
  }
  const first = input.failure ?? failure;
  context.df.setCustomStatus({ doing: [] });
  return first === undefined ? { state: 'done' } : { state: 'failed', failure: first };
}

orchestration(rollOut, rollOutService);
