import type { ClientIdentity } from './connection.ts';
import { httpsInside } from './inside.https.ts';
import type { Inside, InsideOf } from './inside.ts';

/** Where a machine's engine listens with mutual TLS: IANA, docker-s. */
const PORT = 2376;

/** One for each machine, kept with its open connections. @param identity the app's client certificate */
export function insides(identity: () => Promise<ClientIdentity>): InsideOf {
  const known = new Map<string, { address: string; inside: Inside }>();
  return async ({ name, address }) => {
    const found = known.get(name);
    if (found?.address === address) return found.inside;
    const inside = httpsInside({ name, address, port: PORT, identity });
    known.set(name, { address, inside });
    return inside;
  };
}
