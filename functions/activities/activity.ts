import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { ZodError } from 'zod';
import { Retryable, Terminal } from '../../shared/model/errors.ts';
import { Invalid } from '../../shared/model/invalid.ts';
import { plainIssues } from '../../shared/model/plain-issues.ts';
import type { Outcome, Refused, Signature } from '../../shared/model/signature.ts';
import { type Services, services } from '../services.ts';

/** An activity that is registered; tests run it with services of their own. */
export interface Activity<I, O> {
  readonly signature: Signature<I, O>;
  run(input: unknown, services: Services, context: InvocationContext): Promise<Outcome<O>>;
}

/**
 * Registers an activity: one side effect, idempotent, since the host may run it twice.
 * Its input is parsed; `Terminal` becomes a refusal that the orchestrator sees as data; everything else is thrown, and
 * retried by `callActivity`.
 * @param options `durable`: the handler needs a durable client, `df.getClient(context)`
 */
export function activity<I, O>(
  signature: Signature<I, O>,
  handler: (input: I, services: Services, context: InvocationContext) => Promise<O>,
  options: { durable?: boolean } = {},
): Activity<I, O> {
  const run: Activity<I, O>['run'] = async (input, made, context) => {
    try {
      return { outcome: 'done', value: await handler(signature.input.parse(input), made, context) };
    } catch (error) {
      const refused = refusalOf(error, signature.name);
      if (refused === undefined) throw nameable(error);
      return refused;
    }
  };
  df.app.activity(signature.name, {
    ...(options.durable === true ? { extraInputs: [df.input.durableClient()] } : {}),
    handler: (input: unknown, context: InvocationContext) => run(input, services(), context),
  });
  return { signature, run };
}

function refusalOf(error: unknown, name: string): Refused | undefined {
  if (error instanceof Terminal) {
    const { code, message, remedy } = error;
    return {
      outcome: 'refused',
      code,
      message,
      remedy,
      ...(error instanceof Invalid ? { details: error.issues } : {}),
    };
  }
  if (!(error instanceof ZodError)) return undefined;
  return {
    outcome: 'refused',
    code: 'activity-input-invalid',
    message: `${name}: ${plainIssues(error.issues)
      .map(({ path, message }) => `${path}: ${message}`)
      .join('; ')}`,
    remedy: 'An older version of the app may have started this: start it again.',
  };
}

/** Only the text of an error reaches the orchestration's history: it then carries the code too. */
const nameable = (error: unknown): unknown =>
  error instanceof Retryable ? new Error(`${error.code}: ${error.message}`, { cause: error }) : error;
