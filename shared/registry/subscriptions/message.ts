import { eventHash } from '../../events/event-hash.ts';
import type { CloudEvent } from '../../model/cloud-event.ts';
import type { Subscription } from '../../model/subscription.ts';
import { envelopeOf } from './distribution-envelope.ts';
import { type Feed, nameOfFeed } from './feed.ts';

/** One event as a sink gets it. */
export interface Message {
  /** The same for every attempt, and after a replay: receivers know duplicates by it. 40 hex digits. */
  readonly id: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** What keeps its order: the repository. */
  readonly repository: string;
  readonly type: string;
}

export async function messageOf(
  format: Subscription['format'],
  feed: Feed,
  event: CloudEvent,
): Promise<Message> {
  const id = await eventHash(event);
  const value = format === 'cloudevents' ? event : envelopeOf(event, id);
  return {
    id,
    contentType:
      format === 'cloudevents'
        ? 'application/cloudevents+json; charset=utf-8'
        : 'application/vnd.docker.distribution.events.v2+json',
    body: new TextEncoder().encode(JSON.stringify(value)),
    repository: nameOfFeed(feed),
    type: event.type,
  };
}
