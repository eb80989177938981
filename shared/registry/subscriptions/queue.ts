import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import type { SubscriptionName } from '../../model/subscription.ts';
import { documentValues } from '../../state/documents.ts';
import type { Write } from '../../state/tables.ts';

/**
 * Row `q!<subscription>!<stamp>` in the partition of what was done: events that a subscription has not got yet, in order. The
 * keys of all such rows together are the subscription's queue of that repository.
 */
export const QueueEntry = z.object({
  events: z.array(CloudEvent).min(1),
  /** Deliveries of the first event that failed. */
  failures: z.number().default(0),
  /** What the last of them came to. */
  lastFailure: z.string().optional(),
});
export type QueueEntry = z.infer<typeof QueueEntry>;

export const queuePrefix = (subscription: SubscriptionName): string => `q!${subscription}!`;

/** Part of the transaction that does what the events tell of. */
export function queueWrite(
  subscription: SubscriptionName,
  key: string,
  events: readonly CloudEvent[],
): Write {
  const entry: QueueEntry = { events: [...events], failures: 0 };
  return { kind: 'insert', row: `${queuePrefix(subscription)}${key}`, values: documentValues(entry) };
}
