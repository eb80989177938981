import { deliverEvents, deliveryId } from '../shared/events/deliver-events.ts';
import { OutsidePushData } from '../shared/events/pushes/push-event.ts';
import { type RefreshCopy, refreshPushed } from '../shared/events/refresh-copy.ts';
import type { CloudEvent } from '../shared/model/cloud-event.ts';
import { findTag } from '../shared/registry/repository.ts';
import { nameOfFeed, outsideFeed } from '../shared/registry/subscriptions/feed.ts';
import { queueOutside } from '../shared/registry/subscriptions/queue-outside.ts';
import { tableKey } from '../shared/state/key.ts';
import { eventTypes, type Start } from '../shared/workloads/answer.ts';
import type { Services } from './services.ts';

/** Whether an event tells of a push to a registry elsewhere: that rolls nothing out by itself, whatever our repositories are called. */
export const isOutsidePush = ({ type, data }: CloudEvent): boolean =>
  type === eventTypes.push && OutsidePushData.safeParse(data).success;

/** Puts it into the queues of those who hear of it, and starts delivering; and asks for the tag where we have a copy of it. */
export async function answerOutsidePush(
  made: Pick<Services, 'subscriptions' | 'tables' | 'now' | 'mirror' | 'stores'>,
  event: CloudEvent,
  hash: string,
): Promise<readonly Start[]> {
  const push = OutsidePushData.parse(event.data);
  const feed = outsideFeed(push.registry, push.repository);
  const hears = await made.subscriptions.of(nameOfFeed(feed));
  const subscriptions = hears('push');
  await queueOutside(made.tables, feed, subscriptions, event, hash, made.now());
  const starts: Start[] = [];
  for (const subscription of subscriptions) {
    const input = { subscription, feed };
    const instanceId = await deliveryId(input);
    starts.push({ orchestrator: deliverEvents.name, instanceId, input });
  }
  const copy = await copyOf(made, push);
  if (copy !== undefined)
    starts.push({ orchestrator: refreshPushed.name, instanceId: `ev-${hash}`, input: copy });
  return starts;
}

/** Our copy of the tag, if anybody has pulled it through us or a service waits for it. */
async function copyOf(
  { mirror, tables, stores }: Pick<Services, 'mirror' | 'tables' | 'stores'>,
  { registry, repository, tag }: OutsidePushData,
): Promise<RefreshCopy | undefined> {
  if (tag === undefined) return undefined;
  const { copy } = await mirror.through(registry, repository);
  if (copy === undefined) return undefined;
  if ((await findTag(tables, copy, tag)) !== undefined) return { repository: copy, tag };
  for await (const _rule of stores.rules.list({ partition: tableKey(copy), from: `${tag}!`, to: `${tag}"` }))
    return { repository: copy, tag };
  return undefined;
}
