import type { CloudEvent } from '../../model/cloud-event.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import { tableKey } from '../../state/key.ts';
import { Conflict, type Tables } from '../../state/tables.ts';
import { orderKey } from '../stamp.ts';
import { type Feed, markOutside } from './feed.ts';
import { queueWrite } from './queue.ts';

/**
 * Puts the event of a push elsewhere into queues. Done again before it was delivered, it is there once: its key is made of when it
 * was, as its sender says it, and of its hash.
 */
export async function queueOutside(
  tables: Tables,
  feed: Feed,
  subscriptions: readonly SubscriptionName[],
  event: CloudEvent,
  hash: string,
  now: Date,
): Promise<void> {
  if (subscriptions.length === 0) return;
  await markOutside(tables, feed, now);
  // A clock that is ahead must not put it after all that will ever come.
  const at = Math.min(Date.parse(event.time), now.getTime());
  const key = `${orderKey(at * 1000)}!${hash.slice(0, 8)}`;
  for (const subscription of subscriptions)
    try {
      await tables.commit('registry', tableKey(feed), [queueWrite(subscription, key, [event], now)]);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
}
