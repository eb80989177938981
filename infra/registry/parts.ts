import { DefaultAzureCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { keyStore } from '../../shared/auth/key-store.ts';
import { limits } from '../../shared/auth/rate-limit/limits.ts';
import type { RegistryDeps } from '../../shared/registry/call.ts';
import { policyStore } from '../../shared/registry/policy/policy-store.ts';
import { type Recorder, recorder } from '../../shared/registry/record.ts';
import type { Audience } from '../../shared/registry/subscriptions/audience.ts';
import { subscriptionStore } from '../../shared/registry/subscriptions/subscription-store.ts';
import { type KeptTokenKeys, sealedTokenKeys } from '../../shared/registry/token-keys/token-keys.sealed.ts';
import { registryTokens } from '../../shared/registry/tokens.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { azureTables } from '../../shared/state/tables.azure.ts';
import type { RegistrySettings } from './settings.ts';

export interface RegistryParts {
  readonly deps: RegistryDeps;
  readonly tokenKeys: KeptTokenKeys;
}

/**
 * The registry on a storage account, in the same containers and tables as the app's: on the app's own account, with its
 * master key, both are one registry.
 */
export function registryParts(settings: RegistrySettings, report: (error: unknown) => void): RegistryParts {
  const credential = credentialOf(settings);
  const now = (): Date => new Date();
  const tables = azureTables(settings.tableUri, credential);
  const secrets = blobSecrets(azureBlobs(settings.blobUri, 'secrets', credential), settings.masterKeys);
  const tokenKeys = sealedTokenKeys(secrets, now);
  const audience = settings.events === 'keep' ? subscriptionStore(tables, now) : nobody;
  const trail = recorder(tables, audience, now);
  return {
    tokenKeys,
    deps: {
      blobs: azureBlobs(settings.blobUri, 'registry', credential),
      tables,
      tokens: registryTokens(tokenKeys, now),
      credentials: keyStore(tables, settings.adminKeyHash, now),
      policies: policyStore(tables, now),
      limits: limits(settings.rates, now),
      now,
      recorder: settings.events === 'keep' ? trail : withoutPushes(trail),
      onActivity: async () => {
        if (settings.events === 'keep') throw new LeftForTheApp();
      },
      report: (error) => {
        if (!(error instanceof LeftForTheApp)) report(error);
      },
    },
  };
}

/** Nobody subscribes; what was done stands in the audit rows of its repository. */
const nobody: Audience = { of: async () => () => [] };

/** No row waits for an app that is told of pushes. */
const withoutPushes = (trail: Recorder): Recorder => ({
  ...trail,
  async leave(repository, activities) {
    const { writes, left } = await trail.leave(repository, activities);
    return { writes: writes.filter(({ row }) => !row.startsWith('e!')), left: { ...left, pushes: [] } };
  },
});

/** What was done is not taken over here, so that it stays for the app's sweep, which passes it on. */
class LeftForTheApp extends Error {}

function credentialOf({ credential, clientId }: RegistrySettings): TokenCredential {
  if (credential === 'default')
    return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  return clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId });
}
