import { z } from 'zod';
import type { Invoke } from '../core/invoke.ts';
import { returnedValue, type TypedData } from '../core/wire.ts';
import type { HostLog } from '../log.ts';
import type { DurableFunctions } from './functions.ts';
import { type EventBody, EventType } from './history.ts';
import type { Obligation } from './instance.ts';
import { slots } from './slots.ts';

export type RunActivity = (
  instanceId: string,
  activity: Extract<Obligation, { kind: 'activity' }>,
) => Promise<EventBody>;

/** Runs activities, so many at once; their failure is an answer, not an error. */
export function activities(
  functions: DurableFunctions,
  invoke: Invoke,
  log: HostLog,
  concurrency: number,
): RunActivity {
  const slot = slots(concurrency);
  return (instanceId, { name, input, taskId }) =>
    slot(async () => {
      const [value = null] = JSON.parse(input) as unknown[];
      try {
        const result = name === httpActivity ? await callHttp(value) : await run(name, value, instanceId);
        return { EventType: EventType.TaskCompleted, TaskScheduledId: taskId, Result: result };
      } catch (error) {
        log.failure(`activity ${name} of ${instanceId}`, error);
        return {
          EventType: EventType.TaskFailed,
          TaskScheduledId: taskId,
          Reason: `Activity function '${name}' failed:  ${error instanceof Error ? error.message : String(error)}`,
          Details: error instanceof Error ? (error.stack ?? '') : '',
          FailureDetails: null,
        };
      }
    });

  async function run(name: string, value: unknown, instanceId: string): Promise<string | null> {
    const found = functions.activity(name);
    if (found === undefined) throw new Error(`there is no activity function '${name}'`);
    const data = inputOf(value);
    const response = await invoke(found.name, {
      inputs: [{ name: found.trigger, data }],
      metadata: { instanceId: { string: instanceId }, data },
    });
    const result = returnedValue(response.returnValue);
    return result === undefined ? null : JSON.stringify(result);
  }
}

/** As .NET turns a JSON value into a string: texts bare, booleans as `True`, nothing for null. */
function inputOf(value: unknown): TypedData {
  if (value === null) return {};
  if (typeof value === 'string') return { string: value };
  if (typeof value === 'boolean') return { string: value ? 'True' : 'False' };
  return { string: JSON.stringify(value) };
}

/** What `callHttp` schedules; it exists without a function. */
const httpActivity = 'BuiltIn::HttpActivity';

const HttpCall = z.looseObject({
  method: z.string(),
  uri: z.url(),
  headers: z.record(z.string(), z.string()).nullish(),
  content: z.string().nullish(),
});

/** @returns `{statusCode, headers, content}` as JSON text */
async function callHttp(input: unknown): Promise<string> {
  const { method, uri, headers, content } = HttpCall.parse(input);
  const answer = await fetch(uri, {
    method,
    redirect: 'manual',
    ...(headers ? { headers } : {}),
    ...(content === undefined || content === null ? {} : { body: content }),
  });
  return JSON.stringify({
    statusCode: answer.status,
    headers: Object.fromEntries(answer.headers),
    content: await answer.text(),
  });
}
