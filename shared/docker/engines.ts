import type { ClientIdentity } from './connection.ts';
import { httpsEngine } from './engine.https.ts';
import type { Engine, EngineOf } from './engine.ts';

/** Where a machine's engine listens with mutual TLS: IANA, docker-s. */
const PORT = 2376;

/** One client for each machine, kept with its open connections. @param identity the app's client certificate */
export function engines(identity: () => Promise<ClientIdentity>): EngineOf {
  const clients = new Map<string, { address: string; engine: Engine }>();
  return async ({ name, address }) => {
    const found = clients.get(name);
    if (found?.address === address) return found.engine;
    const engine = httpsEngine({ name, address, port: PORT, identity });
    clients.set(name, { address, engine });
    return engine;
  };
}
