import type { Destination, SubscriptionName } from '../../model/subscription.ts';
import type { Message } from './message.ts';

/** What a delivery came to. */
export type Delivered =
  | { readonly outcome: 'accepted'; readonly answer: string }
  | {
      readonly outcome: 'failed';
      /** One sentence, with the beginning of what the receiver answered. */
      readonly reason: string;
      /** Seconds, as the receiver asked for. */
      readonly retryAfter?: number | undefined;
      /** The receiver refuses this for good. */
      readonly final?: boolean | undefined;
    };

/** Where one subscription's messages go, for a while. */
export interface OpenSink {
  /** Failures of the receiver are outcomes. */
  send(message: Message): Promise<Delivered>;
  close(): Promise<void>;
}

export type OpenSinks = (subscription: SubscriptionName, sink: Destination) => Promise<OpenSink>;
