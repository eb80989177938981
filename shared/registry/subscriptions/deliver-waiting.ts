import type { Deliver, DeliverOutcome } from '../../events/deliver-events.ts';
import { afterFailure } from '../../events/retry-schedule.ts';
import type { Subscription } from '../../model/subscription.ts';
import type { Tables } from '../../state/tables.ts';
import type { DeadEvents } from './dead-letters.ts';
import { messageOf } from './message.ts';
import { clearQueue, keepQueued, type QueuedEntry, queued } from './queue.ts';
import type { OpenSink, OpenSinks } from './sinks.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export interface DeliveryParts {
  readonly tables: Tables;
  readonly subscriptions: Pick<SubscriptionStore, 'get'>;
  readonly dead: DeadEvents;
  readonly open: OpenSinks;
  readonly now: () => Date;
}

/** How long one activity goes on, milliseconds. */
const TURN_MS = 30_000;

/**
 * Delivers what stands in a queue, in order, and takes it out once the receiver has it: what is done twice is delivered twice. An
 * event that is given up becomes a dead letter before the next one is tried.
 */
export async function deliverWaiting(
  parts: DeliveryParts,
  { subscription: name, feed }: Deliver,
): Promise<DeliverOutcome> {
  const { tables, now } = parts;
  const subscription = await parts.subscriptions.get(name);
  if (subscription === undefined) {
    await clearQueue(tables, name, feed);
    return { outcome: 'empty' };
  }
  const until = now().getTime() + TURN_MS;
  let sink: OpenSink | undefined;
  try {
    for await (const waiting of queued(tables, name, feed)) {
      sink ??= await parts.open(name, subscription.sink);
      const failed = await deliverEntry(parts, subscription, feed, sink, waiting);
      if (failed !== undefined) return failed;
      if (now().getTime() >= until) return { outcome: 'more' };
    }
    return { outcome: 'empty' };
  } finally {
    await sink?.close();
  }
}

/** @returns undefined if all of its events are delivered or given up */
async function deliverEntry(
  { tables, dead, now }: DeliveryParts,
  { name, format }: Subscription,
  feed: string,
  sink: OpenSink,
  { key, entry }: QueuedEntry,
): Promise<DeliverOutcome | undefined> {
  let left: QueuedEntry['entry'] | undefined = entry;
  while (left !== undefined) {
    const [event, next, ...others]: QueuedEntry['entry']['events'] = left.events;
    const delivered = await sink.send(await messageOf(format, feed, event));
    if (delivered.outcome === 'failed') {
      const failures = left.failures + 1;
      const { reason: lastFailure } = delivered;
      const verdict = afterFailure(failures, new Date(entry.since), now(), delivered);
      if (verdict.next === 'retry') {
        await keepQueued(tables, name, feed, key, { ...left, failures, lastFailure });
        return { outcome: 'failed', waitSeconds: verdict.waitSeconds, reason: lastFailure };
      }
      const at = now().toISOString();
      const { reason } = verdict;
      await dead.add(name, { feed, key, event, attempts: failures, reason, lastFailure, at });
    }
    left = next === undefined ? undefined : { events: [next, ...others], since: entry.since, failures: 0 };
    await keepQueued(tables, name, feed, key, left);
  }
  return undefined;
}
