import { clientIdentity } from '../shared/certificates/client-certificate.ts';
import { type EngineCa, ensureEngineCa } from '../shared/certificates/engine-ca.ts';
import type { EngineOf } from '../shared/docker/engine.ts';
import { engines } from '../shared/docker/engines.ts';
import { type MachineStore, machineStore } from '../shared/machines/machine-store.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import type { Tables } from '../shared/state/tables.ts';

/** The part of the services that concerns machines and their engines. */
export interface MachineServices {
  readonly engineCa: () => Promise<EngineCa>;
  /** One client for each machine's engine. */
  readonly engineOf: EngineOf;
  readonly machines: MachineStore;
}

export function machineServices(secrets: Secrets, tables: Tables): MachineServices {
  const engineCa = once(() => ensureEngineCa(secrets));
  const identity = clientIdentity(engineCa, 'berth', CLIENT_MINUTES);
  const engineOf = engines(async () => ({ ...(await identity()), ca: (await engineCa()).certificatePem }));
  return { engineCa, engineOf, machines: machineStore(tables) };
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
