import type { CloudEvent } from '../../model/cloud-event.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import type { Tables } from '../../state/tables.ts';
import { leftBehind } from '../left-behind.ts';
import { markHeard } from '../repository.ts';
import type { DeadEvents } from './dead-letters.ts';
import { type Feed, isOurs, markOutside } from './feed.ts';
import { clearQueue, queued } from './queue.ts';

/** The head of one queue. */
export interface Standing {
  readonly feed: Feed;
  readonly event: CloudEvent;
  readonly failures: number;
  readonly lastFailure?: string;
}

/** What waits for a subscription: the head of each of its queues. */
export async function waitingOf(
  tables: Tables,
  subscription: SubscriptionName,
  now: Date,
): Promise<readonly Standing[]> {
  const found: Standing[] = [];
  for await (const { feed, subscriptions } of leftBehind(tables, now)) {
    if (!subscriptions.includes(subscription)) continue;
    for await (const { entry } of queued(tables, subscription, feed)) {
      const { events, failures, lastFailure } = entry;
      found.push({ feed, event: events[0], failures, ...(lastFailure === undefined ? {} : { lastFailure }) });
      break;
    }
  }
  return found;
}

export async function clearQueues(tables: Tables, subscription: SubscriptionName, now: Date): Promise<void> {
  for (const { feed } of await waitingOf(tables, subscription, now))
    await clearQueue(tables, subscription, feed);
}

/**
 * Puts dead letters back into their queues.
 * @returns how many
 */
export async function putBack(
  tables: Tables,
  dead: DeadEvents,
  subscription: SubscriptionName,
  ids: readonly string[] | 'all',
  now: () => Date,
): Promise<number> {
  const mark = markHeard(tables, now);
  let count = 0;
  for await (const letter of dead.list(subscription)) {
    if (ids !== 'all' && !ids.includes(letter.id)) continue;
    if (isOurs(letter.feed)) await mark(letter.feed);
    else await markOutside(tables, letter.feed, now());
    await dead.putBack(subscription, letter, now());
    count += 1;
  }
  return count;
}
