import { RegistryCredential } from '../../model/registry-address.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import type { Secrets } from '../../secrets/secrets.ts';

/** Credentials of the registries that replications write to, sealed. */
export interface ReplicationCredentials {
  of(name: SubscriptionName): Promise<RegistryCredential | undefined>;
  /** null: there is none any more. */
  put(name: SubscriptionName, credential: RegistryCredential | null): Promise<void>;
}

const secretOf = (name: SubscriptionName): string => `replications/${name}`;

export const replicationCredentials = (secrets: Secrets): ReplicationCredentials => ({
  async of(name) {
    const sealed = await secrets.open(secretOf(name));
    return sealed && RegistryCredential.parse(JSON.parse(new TextDecoder().decode(sealed)));
  },
  async put(name, credential) {
    if (credential === null) await secrets.remove(secretOf(name));
    else await secrets.seal(secretOf(name), new TextEncoder().encode(JSON.stringify(credential)));
  },
});
