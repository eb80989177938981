import * as df from 'durable-functions';
import type { Outcome, Signature } from '../../shared/model/signature.ts';

/** How often and how fast a failed activity is tried again; milliseconds. */
export interface Retries {
  readonly first: number;
  readonly attempts: number;
  readonly longest: number;
}

/** About 25 s in all: longer troubles are the sweep's. */
const PATIENT: Retries = { first: 200, attempts: 9, longest: 5_000 };

/**
 * The task of an activity, for `context.df.Task.all`; its result is an `Outcome` of the signature's output.
 * A task must be yielded once, and not in two `Task.any`.
 */
export function activityTask<I>(
  context: df.OrchestrationContext,
  { name }: Signature<I, unknown>,
  input: I,
  retries: Retries = PATIENT,
): df.Task {
  const options = new df.RetryOptions(retries.first, retries.attempts);
  options.backoffCoefficient = 2;
  options.maxRetryIntervalInMilliseconds = retries.longest;
  return context.df.callActivityWithRetry(name, options, input);
}

/**
 * `const outcome = yield* callActivity(context, startReplica, input)`. An activity that failed at every attempt gives
 * the refusal `activity-failed`, whose message is that of the last error.
 */
export function* callActivity<I, O>(
  context: df.OrchestrationContext,
  signature: Signature<I, O>,
  input: I,
  retries?: Retries,
): Generator<df.Task, Outcome<O>, unknown> {
  try {
    return (yield activityTask(context, signature, input, retries)) as Outcome<O>;
  } catch (error) {
    return {
      outcome: 'refused',
      code: 'activity-failed',
      message: `${signature.name}: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Look for the activity in the log of the app; the sweep tries again.',
    };
  }
}

/** Registers an orchestration under its signature; its input is what a caller passed, parsed. */
export function orchestration<I, O>(
  signature: Signature<I, O>,
  handler: (context: df.OrchestrationContext, input: I) => Generator<df.Task, O, unknown>,
): Signature<I, O> {
  df.app.orchestration(signature.name, function* (context) {
    return yield* handler(context, signature.input.parse(context.df.getInput()));
  });
  return signature;
}

/**
 * Runs another orchestration as part of this one; its failure is thrown.
 * @param instanceId derived from the caller's, so that a replay names the same
 */
export function* callOrchestration<I, O>(
  context: df.OrchestrationContext,
  { name }: Signature<I, O>,
  input: I,
  instanceId: string,
): Generator<df.Task, O, unknown> {
  return (yield context.df.callSubOrchestrator(name, input, instanceId)) as O;
}
