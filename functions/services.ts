import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { clientIdentity } from '../shared/certificates/client-certificate.ts';
import { type EngineCa, ensureEngineCa } from '../shared/certificates/engine-ca.ts';
import { readSettings, type Settings } from '../shared/config/settings.ts';
import type { EngineOf } from '../shared/docker/engine.ts';
import { engines } from '../shared/docker/engines.ts';
import { type MachineStore, machineStore } from '../shared/machines/machine-store.ts';
import { blobSecrets } from '../shared/secrets/secrets.blobs.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import { azureBlobs } from '../shared/state/blobs.azure.ts';
import { azureTables } from '../shared/state/tables.azure.ts';
import type { Tables } from '../shared/state/tables.ts';

/** Everything that functions use, made once: the only place that picks implementations. */
export interface Services {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  readonly tables: Tables;
  readonly secrets: Secrets;
  readonly engineCa: () => Promise<EngineCa>;
  /** One client for each machine's engine. */
  readonly engineOf: EngineOf;
  readonly machines: MachineStore;
}

let made: Services | undefined;

/** The services of this process, made from its environment at the first call. */
export function services(): Services {
  made ??= makeServices(readSettings(process.env));
  return made;
}

function makeServices(settings: Settings): Services {
  const credential =
    settings.clientId === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId: settings.clientId });
  const tables = azureTables(settings.tableUri, credential);
  const secrets = blobSecrets(azureBlobs(settings.blobUri, 'secrets', credential), settings.masterKeys);
  const engineCa = once(() => ensureEngineCa(secrets));
  const identity = clientIdentity(engineCa, 'berth', CLIENT_MINUTES);
  const engineOf = engines(async () => ({ ...(await identity()), ca: (await engineCa()).certificatePem }));
  return { settings, credential, tables, secrets, engineCa, engineOf, machines: machineStore(tables) };
}

/** Life of the certificate with which the app comes to its engines. */
const CLIENT_MINUTES = 24 * 60;

/** Makes a value when it is first asked for; a failure is forgotten, so that the next call tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
