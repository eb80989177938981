import type { DurableClient } from 'durable-functions';
import type { Credentials } from '../shared/auth/credentials.ts';
import type { Limits } from '../shared/auth/rate-limit/limits.ts';
import type { Heard, RegistryDeps } from '../shared/registry/call.ts';
import { leftBehind } from '../shared/registry/left-behind.ts';
import type { Policies } from '../shared/registry/policy/policy-store.ts';
import { recorder } from '../shared/registry/record.ts';
import type { Mirror } from '../shared/registry/sources/mirror.ts';
import type { Audience } from '../shared/registry/subscriptions/audience.ts';
import type { KeptTokenKeys } from '../shared/registry/token-keys/token-keys.sealed.ts';
import { registryTokens } from '../shared/registry/tokens.ts';
import type { Blobs } from '../shared/state/blobs.ts';
import type { Tables } from '../shared/state/tables.ts';
import { acceptEvent } from './accept-event.ts';
import { startDelivery } from './deliveries.ts';
import type { Services } from './services.ts';

/** The registry but for what belongs to one invocation. */
export type RegistryParts = Omit<RegistryDeps, 'onActivity' | 'report'>;

/** The registry of this app. */
export function registryParts(from: {
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly tokenKeys: KeptTokenKeys;
  readonly credentials: Credentials;
  readonly limits: Limits;
  readonly policies: Policies;
  readonly audience: Audience;
  readonly mirror: Mirror;
  readonly now: () => Date;
}): RegistryParts {
  const { tokenKeys, audience, ...parts } = from;
  return {
    ...parts,
    recorder: recorder(from.tables, audience, from.now),
    tokens: registryTokens(tokenKeys, from.now),
  };
}

/** Stores pushes and starts what answers them, and starts delivering what subscriptions hear. */
export async function takeOver(made: Services, client: DurableClient, heard: Heard): Promise<void> {
  const { feed, pushes, subscriptions } = heard;
  for (const event of pushes) await acceptEvent(made, client, event);
  for (const subscription of subscriptions) await startDelivery(client, { subscription, feed });
}

/** Passes on what a request that was cut off has left; what fails now stays for the next time. */
export async function sweepRegistry(
  made: Services,
  client: DurableClient,
  report: (error: unknown) => void,
): Promise<void> {
  for await (const { feed, pushes, subscriptions } of leftBehind(made.tables, made.now())) {
    for (const unsent of pushes) {
      try {
        await acceptEvent(made, client, unsent.event);
        await unsent.accepted();
      } catch (error) {
        report(new Error(`${feed}: a push is not accepted yet`, { cause: error }));
      }
    }
    for (const subscription of subscriptions) {
      try {
        await startDelivery(client, { subscription, feed });
      } catch (error) {
        report(new Error(`${feed}: subscription ${subscription} is not served yet`, { cause: error }));
      }
    }
  }
}
