import { AsyncLocalStorage } from 'node:async_hooks';
import type { ComputeManagementClientOptionalParams } from '@azure/arm-compute';
import { Retryable, Terminal } from '../model/errors.ts';

type PipelinePolicy = NonNullable<
  ComputeManagementClientOptionalParams['additionalPolicies']
>[number]['policy'];

/** What ARM said against a request, at once or in the poll of an operation: its own code and words. */
export interface Refusal {
  readonly status: 'refused';
  readonly code: string;
  readonly message: string;
}

/** A poll answered 200, and in it that the operation failed. The SDK's poller would keep its words but not its code. */
export class OperationFailed extends Error {
  override readonly name = 'OperationFailed';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const retryAfter = new AsyncLocalStorage<{ milliseconds?: number }>();

/** Runs a call of the SDK and says which Retry-After came last with it: the pollers use it but do not show it. */
export async function observed<T>(
  call: () => Promise<T>,
): Promise<{ result: T; afterMs: number | undefined }> {
  const seen: { milliseconds?: number } = {};
  const result = await retryAfter.run(seen, call);
  return { result, afterMs: seen.milliseconds };
}

/** Pipeline policy of the clients: makes failed operations errors with their code, and notes Retry-After. */
export const answersPolicy: PipelinePolicy = {
  name: 'berth-arm-answers',
  async sendRequest(request, next) {
    const response = await next(request);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const seen = retryAfter.getStore();
    if (seen !== undefined && Number.isFinite(seconds)) seen.milliseconds = seconds * 1000;
    const failed = failureIn(response.status, response.bodyAsText);
    if (failed !== undefined) throw failed;
    return response;
  },
};

function failureIn(status: number, text: string | null | undefined): OperationFailed | undefined {
  if (status !== 200 || !text || !/"status"\s*:\s*"(Failed|Canceled)"/i.test(text)) return undefined;
  const body = JSON.parse(text) as { status?: unknown; error?: { code?: string; message?: string } };
  if (typeof body.status !== 'string' || !/^(failed|canceled)$/i.test(body.status)) return undefined;
  return new OperationFailed(
    body.error?.code ?? `Operation${body.status}`,
    body.error?.message ?? `The operation ended ${body.status} without a reason.`,
  );
}

type Thrown = {
  readonly name?: string;
  readonly code?: string;
  readonly statusCode?: number;
  readonly message?: string;
  readonly response?: {
    readonly headers?: { get(name: string): string | undefined };
    readonly bodyAsText?: string | null;
  };
};

/** Codes that say: not now. */
const NOT_NOW = new Set(['AnotherOperationInProgress', 'RetryableError', 'Conflict', 'TooManyRequests']);

/**
 * What a failed call means. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 * @returns the refusal, with `statusCode` (0 inside a poll)
 * @throws Retryable `arm-unavailable` or `arm-busy`: 408, 429, 5xx, no connection, no token
 */
export function refusal(error: unknown): Refusal & { readonly statusCode: number } {
  if (error instanceof OperationFailed)
    return { status: 'refused', code: error.code, message: error.message, statusCode: 0 };
  const thrown = error as Thrown;
  const { code, message } = azureError(thrown);
  const { statusCode } = thrown;
  const isRest = thrown.name === 'RestError';
  if (
    !isRest &&
    !/^(AuthenticationError|CredentialUnavailableError|AggregateAuthenticationError|AuthenticationRequiredError)$/.test(
      thrown.name ?? '',
    )
  )
    throw error;
  if (!isRest || statusCode === undefined || statusCode === 408 || statusCode >= 500)
    throw new Retryable({
      code: 'arm-unavailable',
      message: `Azure Resource Manager did not answer as it should: ${code}: ${message}`,
      remedy: 'It is tried again; if it lasts, check AZURE_RESOURCE_MANAGER_ENDPOINT and the state of Azure.',
      cause: error,
    });
  if (statusCode === 429 || NOT_NOW.has(code)) {
    const seconds = Number(thrown.response?.headers?.get('retry-after') ?? Number.NaN);
    throw new Retryable({
      code: 'arm-busy',
      message: `Azure Resource Manager asks to wait: ${code}: ${message}`,
      remedy: 'It is tried again.',
      cause: error,
      ...(Number.isFinite(seconds) ? { afterMs: seconds * 1000 } : {}),
    });
  }
  return { status: 'refused', code, message, statusCode };
}

/** Answer of a read: undefined where ARM says 404. @throws Retryable, or Terminal with ARM's code */
export async function found<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    const { statusCode, code, message } = refusal(error);
    if (statusCode === 404) return undefined;
    throw new Terminal({
      code: 'arm-refused',
      message: `Azure Resource Manager refused to answer: ${code}: ${message}`,
      remedy: 'Check the rights of the app on the resource group of the machines.',
      cause: error,
    });
  }
}

function azureError(thrown: Thrown): { code: string; message: string } {
  const fallback = {
    code: thrown.code ?? String(thrown.statusCode ?? 'unknown'),
    message: thrown.message ?? String(thrown),
  };
  try {
    const body = JSON.parse(thrown.response?.bodyAsText ?? '{}') as {
      error?: { code?: string; message?: string };
    };
    return { code: body.error?.code ?? fallback.code, message: body.error?.message ?? fallback.message };
  } catch {
    return fallback;
  }
}
