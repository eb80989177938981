import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Terminal } from '../../../shared/model/errors.ts';
import type { LogLevel } from './core/wire.ts';
import { timeSpan } from './time-span.ts';

/** Milliseconds, written as a TimeSpan. */
const span = z.string().transform((text, context) => {
  const milliseconds = timeSpan(text);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: 'custom', message: `expected a time span such as "00:00:10", not "${text}"` });
  return z.NEVER;
});

const level = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']));

const http = z.looseObject({ routePrefix: z.string().default('api') });

const durableTask = z.looseObject({
  hubName: z.string().default('TestHubName'),
  storageProvider: z
    .looseObject({
      type: z.literal('AzureStorage').default('AzureStorage'),
      connectionName: z.string().default('AzureWebJobsStorage'),
    })
    .prefault({}),
  maxConcurrentActivityFunctions: z.number().int().positive().default(32),
  maxConcurrentOrchestratorFunctions: z.number().int().positive().default(32),
  maxConcurrentEntityFunctions: z.number().int().positive().default(32),
  overridableExistingInstanceStates: z.literal('NonRunningStates').default('NonRunningStates'),
});

const queues = z.looseObject({
  maxPollingInterval: span.prefault('00:01:00'),
  /** Between the tries of a message that failed. */
  visibilityTimeout: span.prefault('00:00:00'),
  batchSize: z.number().int().min(1).max(32).default(16),
  newBatchThreshold: z.number().int().min(0).optional(),
  maxDequeueCount: z.number().int().min(1).default(5),
  messageEncoding: z.enum(['base64', 'none']).default('base64'),
});

const serviceBus = z.looseObject({
  autoCompleteMessages: z.boolean().default(true),
  maxConcurrentCalls: z.number().int().positive().default(16),
  maxAutoLockRenewalDuration: span.prefault('00:05:00'),
  prefetchCount: z.number().int().min(0).default(0),
  maxConcurrentSessions: z.number().int().positive().default(8),
  /** How long a session is kept in which nothing comes. */
  sessionIdleTimeout: span.prefault('00:01:00'),
});

/** https://learn.microsoft.com/azure/azure-functions/functions-host-json; settings that change nothing here are let pass. */
const HostJson = z.looseObject({
  version: z.literal('2.0'),
  functionTimeout: span.prefault('00:30:00'),
  logging: z.looseObject({ logLevel: z.record(z.string(), level).default({}) }).prefault({}),
  extensions: z
    .looseObject({
      http: http.prefault({}),
      durableTask: durableTask.prefault({}),
      queues: queues.prefault({}),
      serviceBus: serviceBus.prefault({}),
    })
    .prefault({}),
});

export interface HostConfiguration {
  /** Milliseconds. */
  readonly functionTimeout: number;
  readonly levels: { readonly user: LogLevel; readonly system: LogLevel };
  readonly http: z.infer<typeof http>;
  readonly durableTask: z.infer<typeof durableTask>;
  readonly queues: z.infer<typeof queues>;
  readonly serviceBus: z.infer<typeof serviceBus>;
}

export type AppSettings = Readonly<Record<string, string | undefined>>;

/**
 * host.json of the app's folder with its `%NAME%` replaced by app settings.
 * @throws Terminal if it cannot be read, says something this host cannot do, or names a setting that is missing
 */
export async function readHostJson(folder: string, settings: AppSettings): Promise<HostConfiguration> {
  const file = resolve(folder, 'host.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw invalid(file, 'cannot be read', cause);
  });
  return parseHostJson(text, settings, file);
}

export function parseHostJson(text: string, settings: AppSettings, file = 'host.json'): HostConfiguration {
  let json: unknown;
  try {
    json = JSON.parse(text, (_key, value: unknown) =>
      typeof value === 'string' ? substitute(value, settings, file) : value,
    );
  } catch (cause) {
    if (cause instanceof Terminal) throw cause;
    throw invalid(file, 'is not JSON', cause);
  }
  const parsed = HostJson.safeParse(json);
  if (!parsed.success)
    throw invalid(
      file,
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  const { extensions, functionTimeout, logging } = parsed.data;
  const fallback = logging.logLevel.default ?? 'information';
  return {
    ...extensions,
    functionTimeout,
    levels: { user: logging.logLevel.Function ?? fallback, system: fallback },
  };
}

/** `%NAME%` stands for an app setting, in host.json and in bindings. */
export function substitute(text: string, settings: AppSettings, where: string): string {
  return text.replace(/%([^%\s]+)%/g, (_all, name: string) => {
    const value = settings[name];
    if (value !== undefined) return value;
    throw new Terminal({
      code: 'app-setting-missing',
      message: `${where} names the app setting ${name}, which is not set.`,
      remedy: `Set ${name} in the environment.`,
    });
  });
}

const invalid = (file: string, what: string, cause?: unknown): Terminal =>
  new Terminal({
    code: 'host-json-invalid',
    message: `${file}: ${what}.`,
    remedy: 'Mend it: https://learn.microsoft.com/azure/azure-functions/functions-host-json',
    cause,
  });
