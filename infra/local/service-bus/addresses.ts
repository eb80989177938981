import { Refused } from './amqp.ts';
import { deadLetterSuffix, type Entity, type QueueSettings, type TopicSettings } from './queue.ts';

/** What a link's address names. */
export type Address =
  | { readonly kind: 'claims' }
  | { readonly kind: 'entity'; readonly entity: Entity; readonly path: string }
  | { readonly kind: 'topic'; readonly topic: TopicSettings; readonly path: string }
  | { readonly kind: 'management'; readonly of: ManagedEntity; readonly path: string };

/** Whose `$management` is asked. */
export type ManagedEntity =
  | { readonly kind: 'entity'; readonly entity: Entity; readonly subscription: boolean }
  | { readonly kind: 'topic'; readonly topic: TopicSettings };

export interface Entities {
  readonly queues: readonly QueueSettings[];
  readonly topics: readonly TopicSettings[];
}

/**
 * `$cbs`; `queue`, `topic` or `topic/subscriptions/name`, of which all but the topic have a `$deadletterqueue` below;
 * each of them with `/$management`; letters of either case.
 * @throws Refused `amqp:not-found`
 */
export function addressOf(address: string | undefined, { queues, topics }: Entities): Address {
  const path = (address ?? '')
    .replace(/^sb:\/\/[^/]*/, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
  if (path === '$cbs') return { kind: 'claims' };
  const managed = path.endsWith('/$management');
  const without = managed ? path.slice(0, -'/$management'.length) : path;

  const topic = topics.find(({ name }) => name === without);
  if (topic !== undefined)
    return managed
      ? { kind: 'management', of: { kind: 'topic', topic }, path }
      : { kind: 'topic', topic, path };

  const dead = without.endsWith(`/${deadLetterSuffix}`);
  const name = dead ? without.slice(0, -deadLetterSuffix.length - 1) : without;
  const subscription = topics
    .flatMap(({ subscriptions }) => subscriptions)
    .find((each) => each.name === name);
  const queue = subscription ?? queues.find((each) => each.name === name);
  if (queue === undefined)
    throw new Refused(404, 'amqp:not-found', `The messaging entity '${address ?? ''}' could not be found.`);
  const entity = { queue, dead };
  return managed
    ? { kind: 'management', of: { kind: 'entity', entity, subscription: subscription !== undefined }, path }
    : { kind: 'entity', entity, path };
}
