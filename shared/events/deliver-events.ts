import { z } from 'zod';
import { signature } from '../model/signature.ts';
import { SubscriptionName } from '../model/subscription.ts';
import { eventHash } from './event-hash.ts';

/** The queue of one subscription and one feed: a repository of ours, or `~<host>/<name>` for one elsewhere. */
export const Deliver = z.object({ subscription: SubscriptionName, feed: z.string().min(1) });
export type Deliver = z.infer<typeof Deliver>;

export type DeliverOutcome =
  /** Nothing stands in the queue, or its subscription is gone. */
  | { readonly outcome: 'empty' }
  /** There is more than fits one activity. */
  | { readonly outcome: 'more' }
  /** The first event of the queue could not be delivered; it is tried again after so many seconds. */
  | { readonly outcome: 'failed'; readonly waitSeconds: number; readonly reason: string };

/** Delivers what stands in one queue, in order, until it is empty or something fails. */
export const deliverWaiting = signature('deliver-waiting', {
  input: Deliver,
  output: z.custom<DeliverOutcome>(),
});

/** The orchestration that delivers one queue; its id is `deliveryId`. */
export const deliverEvents = signature('deliver-events', {
  input: Deliver,
  output: z.custom<{ readonly state: 'delivered' | 'continued' | 'refused'; readonly reason?: string }>(),
});

/** There is one of this name at most, so a queue is delivered in order. */
export const deliveryId = async ({ subscription, feed }: Deliver): Promise<string> =>
  `deliver-${subscription}-${await eventHash({ source: subscription, id: feed })}`;

/** Ends a pause between attempts. */
export const RETRY_NOW = 'retry-now';
