import { randomUUID } from 'node:crypto';
import type { Hook, Registrations } from './core-api.ts';
import type { CoreInvocationContext, InvocationRequest, InvocationResponse, TypedData } from './wire.ts';

export interface Invocation {
  readonly inputs: InvocationRequest['inputData'];
  readonly metadata?: Readonly<Record<string, TypedData>>;
  /** Also names the request at the library's HTTP proxy. */
  readonly id?: string;
}

/** Runs a function once; what the function throws is thrown. */
export type Invoke = (functionName: string, invocation: Invocation) => Promise<InvocationResponse>;

/**
 * One invocation as the Node worker makes it: arguments, hooks, the function, hooks, the response.
 * https://github.com/Azure/azure-functions-nodejs-worker, src/eventHandlers/InvocationHandler.ts
 */
export const invoker =
  (registrations: Registrations): Invoke =>
  async (functionName, { inputs, metadata = {}, id = randomUUID() }) => {
    const found = registrations.functions.get(functionName);
    const model = registrations.programmingModel();
    if (found === undefined || model === undefined)
      throw new Error(`Function '${functionName}' is not loaded.`);
    const core: CoreInvocationContext = {
      invocationId: id,
      metadata: found.metadata,
      request: {
        invocationId: id,
        functionId: functionName,
        inputData: inputs,
        triggerMetadata: metadata,
        traceContext: { traceParent: '', traceState: '', attributes: {} },
      },
      log: (level, category, message) =>
        registrations.log(level, category, category === 'user' ? `${functionName}: ${message}` : message),
      state: undefined,
    };
    const invocation = await model.getInvocationModel(core);
    const { context, inputs: args } = await invocation.getArguments();
    const shared = { hookData: {}, appHookData: registrations.appHookData, invocationContext: context };

    core.state = 'preInvocationHooks';
    const before = { ...shared, functionCallback: found.callback, inputs: args };
    await runHooks(registrations.hooks.preInvocation, before);

    core.state = 'invocation';
    const after: typeof shared & { inputs: unknown[]; result: unknown; error: unknown } = {
      ...shared,
      inputs: before.inputs,
      result: null,
      error: null,
    };
    try {
      after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error ?? new Error(`Function '${functionName}' threw ${error}`);
    }

    core.state = 'postInvocationHooks';
    await runHooks(registrations.hooks.postInvocation, after);
    core.state = undefined;
    if (after.error !== null && after.error !== undefined) throw after.error;
    return await invocation.getResponse(context, after.result);
  };

async function runHooks(hooks: readonly Hook[], context: Record<string, unknown>): Promise<void> {
  for (const hook of hooks) await hook(context);
}
