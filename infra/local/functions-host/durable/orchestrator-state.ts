import { z } from 'zod';

const retryOptions = z.looseObject({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});
export type RetryOptions = z.infer<typeof retryOptions>;

const lockSet = z.array(z.object({ name: z.string(), key: z.string() })).min(1);
export type LockSet = z.infer<typeof lockSet>;

const child = {
  functionName: z.string(),
  instanceId: z.string().nullish(),
  input: z.unknown().optional(),
  version: z.string().nullish(),
};
const toEntity = { instanceId: z.string(), operation: z.string(), input: z.unknown().optional() };

const httpRequest = z.looseObject({
  method: z.string(),
  uri: z.string(),
  content: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  asynchronousPatternEnabled: z.boolean().nullish(),
});
export type HttpRequest = z.infer<typeof httpRequest>;

/** What an orchestrator wants done: Azure/azure-functions-durable-js, src/actions/ActionType.ts */
const action = z.discriminatedUnion('actionType', [
  z.object({ actionType: z.literal(0), functionName: z.string(), input: z.unknown().optional() }),
  z.object({
    actionType: z.literal(1),
    functionName: z.string(),
    input: z.unknown().optional(),
    retryOptions,
  }),
  z.object({ actionType: z.literal(2), ...child }),
  z.object({ actionType: z.literal(3), ...child, retryOptions }),
  z.object({ actionType: z.literal(4), input: z.unknown().optional() }),
  z.object({ actionType: z.literal(5), fireAt: z.string(), isCanceled: z.boolean().default(false) }),
  z.object({ actionType: z.literal(6), externalEventName: z.string() }),
  z.object({ actionType: z.literal(7), ...toEntity }),
  z.object({ actionType: z.literal(8), httpRequest }),
  z.object({ actionType: z.literal(9), ...toEntity }),
  z.object({
    actionType: z.literal(11),
    get compoundActions() {
      return z.array(action);
    },
  }),
  z.object({
    actionType: z.literal(12),
    get compoundActions() {
      return z.array(action);
    },
  }),
  z.object({ actionType: z.literal(13), lockSet, lockRequestId: z.string() }),
  z.object({ actionType: z.literal(14) }),
]);
export type Action = z.infer<typeof action>;

/** What an orchestrator function returns: everything it wanted since its start, and how it stands now. */
export const OrchestratorState = z.looseObject({
  isDone: z.boolean(),
  actions: z.array(z.array(action)),
  output: z.unknown().optional(),
  customStatus: z.unknown().optional(),
  error: z.string().nullish(),
  failureDetails: z.unknown().optional(),
  schemaVersion: z.literal(3),
});
export type OrchestratorState = z.infer<typeof OrchestratorState>;

const failureMark = '\n\n$OutOfProcData$:';

/** A failed orchestrator throws, with its state behind a mark in the message. */
export function stateInFailure(error: unknown): OrchestratorState | undefined {
  const message = error instanceof Error ? error.message : '';
  const at = message.indexOf(failureMark);
  return at < 0 ? undefined : OrchestratorState.parse(JSON.parse(message.slice(at + failureMark.length)));
}
