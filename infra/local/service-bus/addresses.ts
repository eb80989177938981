import { Refused } from './amqp.ts';
import { deadLetterSuffix, type Entity, type QueueSettings } from './queue.ts';

/** What a link's address names. */
export type Address =
  | { readonly kind: 'claims' }
  | { readonly kind: 'entity'; readonly entity: Entity; readonly path: string }
  | { readonly kind: 'management'; readonly entity: Entity; readonly path: string };

/**
 * `$cbs`, `queue`, `queue/$deadletterqueue`, each of the latter with `/$management`; letters of either case.
 * @throws Refused `amqp:not-found`
 */
export function addressOf(address: string | undefined, queues: readonly QueueSettings[]): Address {
  const path = (address ?? '')
    .replace(/^sb:\/\/[^/]*/, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
  if (path === '$cbs') return { kind: 'claims' };
  const [name = '', ...rest] = path.split('/');
  const queue = queues.find((candidate) => candidate.name === name);
  const management = rest.at(-1) === '$management';
  const under = management ? rest.slice(0, -1) : rest;
  const dead = under.length === 1 && under[0] === deadLetterSuffix;
  if (queue === undefined || (under.length > 0 && !dead))
    throw new Refused(404, 'amqp:not-found', `The messaging entity '${address ?? ''}' could not be found.`);
  return { kind: management ? 'management' : 'entity', entity: { queue, dead }, path };
}
