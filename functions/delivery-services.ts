import type { TokenCredential } from '@azure/identity';
import type { Settings } from '../shared/config/settings.ts';
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
import type { Tables } from '../shared/state/tables.ts';

/** What is needed to tell subscriptions of what is done in repositories. */
export interface DeliveryServices {
  readonly subscriptions: SubscriptionStore;
  readonly signing: SigningSecrets;
  readonly delivery: DeliveryParts;
}

export function deliveryServices({
  settings,
  credential,
  tables,
  secrets,
  now,
}: {
  readonly settings: Settings;
  readonly credential: TokenCredential;
  readonly tables: Tables;
  readonly secrets: Secrets;
  readonly now: () => Date;
}): DeliveryServices {
  const subscriptions = subscriptionStore(tables, now);
  const signing = signingSecrets(secrets, now);
  const dead: DeadEvents = deadEvents(tables);
  const open: OpenSinks = async (name, sink) =>
    sink.kind === 'webhook'
      ? webhookSink(sink, { secrets: await signing.of(name), now })
      : serviceBusSink({ ...settings.serviceBus, credential }, sink.topic);
  return { subscriptions, signing, delivery: { tables, subscriptions, dead, open, now } };
}
