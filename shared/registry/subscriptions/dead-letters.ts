import { z } from 'zod';
import { eventHash } from '../../events/event-hash.ts';
import { CloudEvent } from '../../model/cloud-event.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import { Conflict, type Tables } from '../../state/tables.ts';
import { queueWrite } from './queue.ts';

/** An event that was given up. */
export const GivenUp = z.object({
  /** Row key: sorts by the time of the event. */
  id: z.string(),
  feed: z.string(),
  /** Its place in the queue, to which a replay brings it back. */
  key: z.string(),
  event: CloudEvent,
  attempts: z.number(),
  reason: z.string(),
  /** What the last attempt came to, with the beginning of the receiver's answer. */
  lastFailure: z.string(),
  /** RFC 3339. */
  at: z.string(),
});
export type GivenUp = z.infer<typeof GivenUp>;

/** Table `undelivered`: partition is the subscription. */
export interface DeadEvents {
  /** The same event given up again is one dead letter. */
  add(subscription: SubscriptionName, letter: Omit<GivenUp, 'id'>): Promise<void>;
  list(subscription: SubscriptionName): AsyncIterable<GivenUp>;
  /** Puts it back into its queue, before all that came later. The caller has marked the feed. */
  putBack(subscription: SubscriptionName, letter: GivenUp, now: Date): Promise<void>;
  remove(subscription: SubscriptionName, id: string): Promise<void>;
}

export function deadEvents(tables: Tables): DeadEvents {
  const store = documents(tables, 'undelivered', GivenUp);
  return {
    async add(subscription, letter) {
      // Typed into shells, some of which take `!` for a word of their own.
      const id = `${letter.key.replaceAll('!', '-')}-${(await eventHash(letter.event)).slice(0, 8)}`;
      await store.upsert(subscription, id, { ...letter, id });
    },
    async *list(subscription) {
      for await (const { value } of store.list({ partition: subscription })) yield value;
    },
    async putBack(subscription, { id, feed, event }, now) {
      try {
        await tables.commit('registry', tableKey(feed), [queueWrite(subscription, id, [event], now)]);
      } catch (error) {
        // It was put back before, and not yet taken away here.
        if (!(error instanceof Conflict)) throw error;
      }
      await store.delete(subscription, id);
    },
    remove: (subscription, id) => store.delete(subscription, id),
  };
}
