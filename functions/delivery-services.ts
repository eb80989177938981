import type { TokenCredential } from '@azure/identity';
import type { Settings } from '../shared/config/settings.ts';
import {
  type ReplicationCredentials,
  replicationCredentials,
} from '../shared/registry/replication/credentials.ts';
import { replicationSink } from '../shared/registry/replication/sink.replication.ts';
import { type DeadEvents, deadEvents } from '../shared/registry/subscriptions/dead-letters.ts';
import type { DeliveryParts } from '../shared/registry/subscriptions/deliver-waiting.ts';
import { type SigningSecrets, signingSecrets } from '../shared/registry/subscriptions/signing-secrets.ts';
import { serviceBusSink } from '../shared/registry/subscriptions/sink.service-bus.azure.ts';
import { webhookSink } from '../shared/registry/subscriptions/sink.webhook.ts';
import type { OpenSinks } from '../shared/registry/subscriptions/sinks.ts';
import {
  type SubscriptionStore,
  subscriptionStore,
} from '../shared/registry/subscriptions/subscription-store.ts';
import type { Secrets } from '../shared/secrets/secrets.ts';
import type { Blobs } from '../shared/state/blobs.ts';
import type { Tables } from '../shared/state/tables.ts';

/** What is needed to tell subscriptions of what is done in repositories. */
export interface DeliveryServices {
  readonly subscriptions: SubscriptionStore;
  readonly signing: SigningSecrets;
  readonly delivery: DeliveryParts;
  readonly replications: ReplicationCredentials;
}

export function deliveryServices({
  settings,
  credential,
  tables,
  blobs,
  secrets,
  now,
}: {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  readonly tables: Tables;
  /** Those of the registry. */
  readonly blobs: Blobs;
  readonly secrets: Secrets;
  readonly now: () => Date;
}): DeliveryServices {
  const subscriptions = subscriptionStore(tables, now);
  const signing = signingSecrets(secrets, now);
  const dead: DeadEvents = deadEvents(tables);
  const replications = replicationCredentials(secrets);
  const open: OpenSinks = async (name, sink) => {
    switch (sink.kind) {
      case 'webhook':
        return webhookSink(sink, { secrets: await signing.of(name), now });
      case 'service-bus':
        return serviceBusSink({ ...settings.serviceBus, credential }, sink.topic);
      case 'replication': {
        const { hostname } = settings;
        return replicationSink(sink, {
          blobs,
          tables,
          hostname,
          now,
          credential: await replications.of(name),
        });
      }
    }
  };
  return { subscriptions, signing, replications, delivery: { tables, subscriptions, dead, open, now } };
}
