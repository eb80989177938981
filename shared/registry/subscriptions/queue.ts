import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import { SubscriptionName } from '../../model/subscription.ts';
import { documentOf, documentValues } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import { Conflict, type Tables, type Write } from '../../state/tables.ts';
import type { Feed } from './feed.ts';

const TABLE = 'registry';

/**
 * Row `q!<subscription>!<key>` in the partition of a feed: events that a subscription has not got yet, in order. All such rows
 * together, by key, are the subscription's queue of that feed.
 */
const QueueEntry = z.object({
  events: z.tuple([CloudEvent], CloudEvent),
  /** When it was put there, RFC 3339: what is too old is given up. */
  since: z.iso.datetime(),
  /** Deliveries of the first event that failed. */
  failures: z.number().default(0),
  /** What the last of them came to. */
  lastFailure: z.string().optional(),
});
export type QueueEntry = z.infer<typeof QueueEntry>;

export interface QueuedEntry {
  /** Part of the row's key: sorts by time. */
  readonly key: string;
  readonly entry: QueueEntry;
}

const prefixOf = (subscription: SubscriptionName): string => `q!${subscription}!`;
const rangeOf = (subscription: SubscriptionName, feed: Feed) => ({
  partition: tableKey(feed),
  from: prefixOf(subscription),
  to: `${prefixOf(subscription)}~`,
});

/** Part of the transaction that does what the events tell of. */
export function queueWrite(
  subscription: SubscriptionName,
  key: string,
  [first, ...others]: readonly [CloudEvent, ...CloudEvent[]],
  now: Date,
): Write {
  const entry: QueueEntry = { events: [first, ...others], since: now.toISOString(), failures: 0 };
  return { kind: 'insert', row: `${prefixOf(subscription)}${key}`, values: documentValues(entry) };
}

export async function* queued(
  tables: Tables,
  subscription: SubscriptionName,
  feed: Feed,
): AsyncIterable<QueuedEntry> {
  for await (const { row, values } of tables.list(TABLE, { ...rangeOf(subscription, feed), page: 20 }))
    yield { key: row.slice(prefixOf(subscription).length), entry: documentOf(QueueEntry, values) };
}

/** What is left of an entry; none: it is done. One that is gone stays so. */
export async function keepQueued(
  tables: Tables,
  subscription: SubscriptionName,
  feed: Feed,
  key: string,
  left: QueueEntry | undefined,
): Promise<void> {
  const row = `${prefixOf(subscription)}${key}`;
  const write: Write =
    left === undefined ? { kind: 'delete', row } : { kind: 'upsert', row, values: documentValues(left) };
  try {
    await tables.commit(TABLE, tableKey(feed), [write]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

/** Takes all out of a queue: its subscription is gone. */
export async function clearQueue(tables: Tables, subscription: SubscriptionName, feed: Feed): Promise<void> {
  for await (const { row, partition } of tables.list(TABLE, rangeOf(subscription, feed)))
    try {
      await tables.commit(TABLE, partition, [{ kind: 'delete', row }]);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
}

/** Subscriptions in whose queue of this feed something stands: from the first row of one to the first of the next. */
export async function waitingFor(tables: Tables, feed: Feed): Promise<SubscriptionName[]> {
  const found: SubscriptionName[] = [];
  for (let from = 'q!'; ; ) {
    let next: SubscriptionName | undefined;
    for await (const { row } of tables.list(TABLE, { partition: tableKey(feed), from, to: 'q"', page: 1 })) {
      next = SubscriptionName.parse(row.split('!')[1]);
      break;
    }
    if (next === undefined) return found;
    found.push(next);
    from = `q!${next}"`;
  }
}
