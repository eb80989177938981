import { z } from 'zod';
import { newWebhookSecret } from '../../events/standard-webhooks.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import type { Secrets } from '../../secrets/secrets.ts';

/** How long deliveries are also signed with the secret that a new one has replaced. */
export const OVERLAP_HOURS = 24;

/** The newest first; all but it end at a time. */
const Kept = z.array(z.object({ secret: z.string(), until: z.iso.datetime().optional() }));
type Kept = z.infer<typeof Kept>;

/** Sealed secrets that a subscription's deliveries are signed with. */
export interface SigningSecrets {
  /** @returns the new secret: nothing shows it again */
  replace(subscription: SubscriptionName): Promise<string>;
  /** The newest first. */
  of(subscription: SubscriptionName): Promise<readonly string[]>;
  remove(subscription: SubscriptionName): Promise<void>;
}

const recordOf = (subscription: SubscriptionName): string => `subscriptions/${subscription}`;

export function signingSecrets(secrets: Secrets, now: () => Date): SigningSecrets {
  const read = async (subscription: SubscriptionName): Promise<Kept> => {
    const bytes = await secrets.open(recordOf(subscription));
    if (bytes === undefined) return [];
    const kept = Kept.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return kept.filter(({ until }) => until === undefined || until > now().toISOString());
  };
  return {
    async replace(subscription) {
      const secret = newWebhookSecret();
      const until = new Date(now().getTime() + OVERLAP_HOURS * 3_600_000).toISOString();
      const before = (await read(subscription)).map((one) => ({ until, ...one }));
      const kept: Kept = [{ secret }, ...before];
      await secrets.seal(recordOf(subscription), new TextEncoder().encode(JSON.stringify(kept)));
      return secret;
    },
    of: async (subscription) => (await read(subscription)).map(({ secret }) => secret),
    remove: (subscription) => secrets.remove(recordOf(subscription)),
  };
}
