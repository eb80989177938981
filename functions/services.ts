import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { anyCredentials } from '../shared/auth/any-credentials.ts';
import type { Credentials } from '../shared/auth/credentials.ts';
import { type AssignmentStore, assignmentStore } from '../shared/auth/entra/assignment-store.ts';
import { entraCredentials } from '../shared/auth/entra/entra-credentials.ts';
import { entraTokens } from '../shared/auth/entra/entra-tokens.ts';
import { keyStore } from '../shared/auth/key-store.ts';
import { limits } from '../shared/auth/rate-limit/limits.ts';
import { readSettings, type Settings } from '../shared/config/settings.ts';
import { serviceBusDeadLetters } from '../shared/events/dead-letters.service-bus.azure.ts';
import { type PoisonQueue, storageDeadLetters } from '../shared/events/dead-letters.storage.azure.ts';
import type { DeadLetterQueue } from '../shared/events/dead-letters.ts';
import { type EventStore, eventStore } from '../shared/events/event-store.ts';
import { type HookStore, hookStore } from '../shared/events/hooks.ts';
import { type Refusals, refusals } from '../shared/events/refusals.ts';
import { azureAppendBlobs } from '../shared/logs/append-blobs.azure.ts';
import { type LogKeeper, logKeeper } from '../shared/logs/log-keeper.ts';
import { type LogRetentions, logRetentions } from '../shared/logs/retention.ts';
import { announcing } from '../shared/networks/announcing.ts';
import { type Networks, networks } from '../shared/networks/networks.ts';
import { type RunStore, runStore } from '../shared/registry/care/run-store.ts';
import { imageResolver } from '../shared/registry/image-resolver.ts';
import { type PolicyStore, policyStore } from '../shared/registry/policy/policy-store.ts';
import { type KeptTokenKeys, sealedTokenKeys } from '../shared/registry/token-keys/token-keys.sealed.ts';
import { imageTrust, type RegistryTrust } from '../shared/registry/trust/image-trust.ts';
import { blobSecrets } from '../shared/secrets/secrets.blobs.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import { type Sessions, sessions } from '../shared/sessions/sessions.ts';
import { azureBlobs } from '../shared/state/blobs.azure.ts';
import { gathered } from '../shared/state/gathered-tables.ts';
import { azureTables } from '../shared/state/tables.azure.ts';
import type { Tables } from '../shared/state/tables.ts';
import type { ImageResolver } from '../shared/workloads/image-resolver.ts';
import type { WorkloadPorts } from '../shared/workloads/ports.ts';
import { type ServiceSecrets, serviceSecrets } from '../shared/workloads/service-secrets.ts';
import { type Stores, stores } from '../shared/workloads/stores.ts';
import { deadLettersOf } from './dead-letters.ts';
import { type DeliveryServices, deliveryServices } from './delivery-services.ts';
import { type IngressServices, ingressServices } from './ingress-services.ts';
import { type MachineServices, machineServices } from './machine-services.ts';
import { evidenceOfCopies, type MirrorServices, mirrorServices } from './mirror-services.ts';
import { type RegistryParts, registryParts } from './registry.ts';
import { workloadPorts } from './workload-services.ts';

/** Everything that functions use, made once: the only place that picks implementations. */
export interface Services extends MachineServices, DeliveryServices, MirrorServices, IngressServices {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  now(): Date;
  readonly tables: Tables;
  readonly stores: Stores;
  readonly secrets: Secrets;
  /** Of users, for their containers. */
  readonly serviceSecrets: ServiceSecrets;
  readonly images: ImageResolver;
  readonly trust: RegistryTrust;
  readonly events: EventStore;
  readonly hooks: HookStore;
  readonly refusals: Refusals;
  /** Where the storage queue's refused messages go. */
  readonly poison: PoisonQueue;
  readonly deadLetters: DeadLetterQueue;
  readonly registry: RegistryParts;
  readonly policies: PolicyStore;
  /** Runs of garbage collection and retention. */
  readonly careRuns: RunStore;
  readonly tokenKeys: KeptTokenKeys;
  /** Of callers: API keys, and tokens of the tenant. */
  readonly credentials: Credentials;
  readonly assignments: AssignmentStore;
  readonly workloads: WorkloadPorts;
  /** Where containers of an environment meet. */
  readonly networks: Networks;
  /** What containers wrote, and for how long it is kept. */
  readonly logs: LogKeeper;
  readonly logRetentions: LogRetentions;
  /** Of people with containers. */
  readonly sessions: Sessions;
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
  const now = (): Date => new Date();
  const tables = gathered(azureTables(settings.tableUri, credential));
  const secrets = blobSecrets(azureBlobs(settings.blobUri, 'secrets', credential), settings.masterKeys);
  const kept = refusals(tables);
  const poison = storageDeadLetters(settings.queueUri, credential, 'commands', kept);
  const machines = machineServices({ settings, credential, secrets, tables });
  const ofUsers = serviceSecrets(tables, secrets, now);
  const plain = stores(tables);
  const containers = networks({
    tables,
    replicas: plain.replicas,
    machines: machines.machines,
    engineOf: machines.engineOf,
    receivers: machines.receivers,
    range: settings.containerNetwork,
    machineNetwork: settings.network,
    now,
    isUsed: async (environment) => {
      for await (const _ of plain.services.list({ partition: environment, page: 1 })) return true;
      for await (const _ of plain.jobs.list({ partition: environment, page: 1 })) return true;
      return false;
    },
  });
  const ingress = ingressServices({
    tables,
    secrets,
    stores: announcing(plain, containers),
    insideOf: machines.insideOf,
    balancer: machines.balancer,
  });
  const documents = ingress.stores;
  const policies = policyStore(tables, now);
  const tokenKeys = sealedTokenKeys(secrets, now);
  const assignments = assignmentStore(tables, now);
  const credentials = anyCredentials([
    keyStore(tables, settings.adminKeyHash, now),
    entraCredentials(entraTokens(settings.tokenAuthority, settings.tokenAudiences), assignments),
  ]);
  const blobs = azureBlobs(settings.blobUri, 'registry', credential);
  const deliveries = deliveryServices({ settings, credential, tables, blobs, secrets, now });
  const mirrors = mirrorServices(tables, secrets, now);
  const logs = logKeeper(azureAppendBlobs(settings.blobUri, 'logs', credential));
  const registry = registryParts({
    blobs,
    tables,
    tokenKeys,
    credentials,
    limits: limits(settings.rates, now),
    policies,
    audience: deliveries.subscriptions,
    mirror: mirrors.mirror,
    now,
  });
  return {
    settings,
    credential,
    now,
    tables,
    secrets,
    serviceSecrets: ofUsers,
    ...machines,
    ...ingress,
    images: imageResolver(tables),
    trust: imageTrust({ ...registry, upstream: evidenceOfCopies(mirrors.mirror, registry) }),
    events: eventStore(tables, now),
    hooks: hookStore(tables, secrets),
    refusals: kept,
    poison,
    deadLetters: deadLettersOf({
      'service-bus': serviceBusDeadLetters({ ...settings.serviceBus, credential }, 'commands', kept),
      storage: poison,
    }),
    registry,
    policies,
    careRuns: runStore(tables),
    tokenKeys,
    credentials,
    assignments,
    ...deliveries,
    ...mirrors,
    logs,
    logRetentions: logRetentions(tables),
    sessions: sessions(tables),
    networks: containers,
    workloads: workloadPorts({
      secrets: ofUsers,
      networks: containers,
      logs,
      stores: documents,
      engineOf: machines.engineOf,
      offers: machines.offers,
      breakers: machines.breakers,
      tokens: registry.tokens,
      hostname: settings.hostname,
      withdrawn: (replica) => ingress.notice.withdrawn(replica),
      switched: (key) => ingress.notice.changed(key),
      now,
    }),
  };
}
