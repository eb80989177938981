import { randomBytes } from 'node:crypto';
import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import type { Running } from '../data-centre.ts';
import { connectionPart } from './connection.ts';
import { createCoreApi } from './core/core-api.ts';
import { type Invocation, type Invoke, invoker } from './core/invoke.ts';
import { loadApp } from './core/load-app.ts';
import type { FunctionMetadata } from './core/wire.ts';
import { clientBinding, managementPath } from './durable/client-binding.ts';
import { type Hub, openHub } from './durable/hub.ts';
import { azureLongTexts } from './durable/long-text.azure.ts';
import { manage } from './durable/management.ts';
import type { ManagementAnswer, ManagementRequest } from './durable/management-messages.ts';
import { internalServer, keyedManagement } from './durable/management-server.ts';
import { type AppSettings, readHostJson } from './host-json.ts';
import type { Address, ServerCertificate } from './http/listeners.ts';
import { router } from './http/router.ts';
import { serveHttp } from './http/serve.ts';
import { hostLog } from './log.ts';
import { triggers } from './triggers/start-triggers.ts';

export interface HostOptions {
  /** Holds package.json, whose `main` is the app's entry, and host.json. */
  readonly folder: string;
  /** The app settings, that is its environment. */
  readonly settings: AppSettings;
  readonly addresses: readonly Address[];
  /** Plain HTTP without. */
  readonly certificate?: ServerCertificate;
  /** Of the storage account and the Service Bus namespace; the managed identity of the settings if absent. */
  readonly credential?: TokenCredential;
  readonly write: (line: string) => void;
}

export interface RunningHost extends Running {
  readonly addresses: readonly Address[];
}

/**
 * Loads an app into this process and serves it. One for each process: the library keeps what was registered with it.
 * @throws Terminal if a setting is missing, host.json or the app asks for what this host does not do, or a port is taken
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { folder, settings } = options;
  const configuration = await readHostJson(folder, settings);
  const log = hostLog(configuration.levels, options.write);
  const credential = options.credential ?? identityOf(settings);
  const storage = (part: string, service: string) =>
    connectionPart(settings, 'AzureWebJobsStorage', part, `https://account.${service}.core.windows.net`);
  const tables = azureTables(storage('tableServiceUri', 'table'), credential);
  const hubName = configuration.durableTask.hubName;
  const texts = azureLongTexts(
    storage('blobServiceUri', 'blob'),
    credential,
    `${hubName.toLowerCase()}-large`,
  );

  const { api, registrations } = createCoreApi(log.app);
  const app = await loadApp(folder, api, registrations);
  const functions = [...registrations.functions.values()].map(({ metadata }) => metadata);
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const key = secret();
    let hub: Hub | undefined;
    const managed = async (request: ManagementRequest): Promise<ManagementAnswer> =>
      hub === undefined ? { status: 503 } : await manage(hub, address, request);
    const internal = await internalServer(secret(), managed, log);
    closing.push(internal.close);
    const address = { origin: originOf(options), internal: internal.address, hub: hubName, key };
    const invoke = withClients(invoker(registrations), functions, clientBinding(address));
    const prepared = triggers({ functions, settings, configuration, credential, tables, invoke, log });
    const routes = router(functions, configuration.http.routePrefix);

    hub = await openHub({ tables, texts, functions, invoke, configuration: configuration.durableTask, log });
    closing.push(hub.close);
    const management = keyedManagement(managementPath, key, managed, log);
    const server = await serveHttp({
      options,
      configuration,
      functions,
      routes,
      app,
      invoke,
      management,
      log,
    });
    closing.push(server.close);
    const running = prepared.map((start) => start());
    closing.push(() => Promise.all(running.map((trigger) => trigger.stop())));
    return { addresses: server.addresses, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const secret = (): string => randomBytes(24).toString('base64url');

function identityOf(settings: AppSettings): TokenCredential {
  const clientId = settings.AzureWebJobsStorage__clientId;
  return clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId });
}

/** Where others reach the app, for links that durable clients hand out. */
function originOf({ settings, addresses: [first], certificate }: HostOptions): string {
  const host = settings.WEBSITE_HOSTNAME ?? `${first?.host}:${first?.port}`;
  return `${certificate === undefined ? 'http' : 'https'}://${host}`;
}

/** Gives every function that asks for a durable client its binding. */
function withClients(invoke: Invoke, functions: readonly FunctionMetadata[], binding: string): Invoke {
  const clients = new Map<string, Invocation['inputs']>();
  for (const { name, bindings } of functions) {
    const inputs = Object.entries(bindings).filter(([, { type }]) => type === 'durableClient');
    if (inputs.length > 0)
      clients.set(
        name,
        inputs.map(([input]) => ({ name: input, data: { string: binding } })),
      );
  }
  return (name, invocation) => {
    const added = clients.get(name);
    return invoke(
      name,
      added === undefined ? invocation : { ...invocation, inputs: [...invocation.inputs, ...added] },
    );
  };
}
