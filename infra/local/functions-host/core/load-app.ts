import { readFile } from 'node:fs/promises';
import Module, { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { Terminal } from '../../../../shared/model/errors.ts';
import type { Registrations } from './core-api.ts';
import { loopbackListeners, type ProxyServer } from './loopback.ts';

const Package = z.object({ main: z.string().min(1) });

/** The app's folder holds package.json, whose `main` is the entry, and host.json. */
export interface LoadedApp {
  /** The library's own HTTP server, to which requests are forwarded; only where the app streams HTTP. */
  readonly proxy: ProxyServer | undefined;
}

/**
 * Loads an app into this process: its functions register themselves through `@azure/functions-core`.
 * @throws Terminal if the entry is missing or the library did not find the core module
 */
export async function loadApp(folder: string, api: object, registrations: Registrations): Promise<LoadedApp> {
  const entry = await entryOf(folder);
  serveCoreModule(api);
  // Through CommonJS first: loaded by ESM the library's lookup of the core module fails silently and is remembered.
  createRequire(entry)('@azure/functions');
  await import(pathToFileURL(entry).href);
  checkModel(entry, registrations);
  const appStart = { hookData: {}, appHookData: registrations.appHookData, functionAppDirectory: folder };
  for (const hook of registrations.hooks.appStart) await hook(appStart);
  registrations.lock();
  const { capabilities, server } = await loopbackListeners(async () =>
    registrations.programmingModel()?.getCapabilities({
      RawHttpBodyBytes: 'true',
      RpcHttpTriggerMetadataRemoved: 'true',
      RpcHttpBodyOnly: 'true',
      IgnoreEmptyValuedRpcHttpHeaders: 'true',
      UseNullableValueDictionaryForHttp: 'true',
      WorkerStatus: 'true',
      TypedDataCollection: 'true',
      HandlesWorkerTerminateMessage: 'true',
    }),
  );
  return { proxy: capabilities?.HttpUri === undefined ? undefined : server };
}

async function entryOf(folder: string): Promise<string> {
  const file = resolve(folder, 'package.json');
  try {
    return resolve(folder, Package.parse(JSON.parse(await readFile(file, 'utf8'))).main);
  } catch (cause) {
    throw new Terminal({
      code: 'app-entry-missing',
      message: `${file} names no entry: expected a JSON object whose "main" is the path of the app's entry.`,
      remedy: 'Set "main" in package.json, for example "main": "functions/main.ts".',
      cause,
    });
  }
}

/** The library and durable-functions reach the core module by `require`, whether the app is ESM or CommonJS. */
function serveCoreModule(api: object): void {
  const original = Module.prototype.require;
  Module.prototype.require = Object.assign(function (this: Module, id: string): unknown {
    return id === '@azure/functions-core' ? api : original.call(this, id);
  }, original);
}

/** The library sets its model when the first function registers itself. */
function checkModel(entry: string, registrations: Registrations): void {
  if (registrations.programmingModel() === undefined)
    throw new Terminal({
      code: 'programming-model-missing',
      message: `${entry} registered no function with this host: it has none, or its @azure/functions did not see the host.`,
      remedy: 'Have exactly one @azure/functions 4.x in node_modules and do not bundle it into the app.',
    });
}
