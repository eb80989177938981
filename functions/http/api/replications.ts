import * as df from 'durable-functions';
import {
  deleteReplication,
  getReplication,
  listReplications,
  putReplication,
  type ReplicationView,
  syncReplication,
  testReplication,
} from '../../../shared/api/routes/replications.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import { RepositoryName } from '../../../shared/model/image.ts';
import type { ReplicationSink, Subscription, SubscriptionName } from '../../../shared/model/subscription.ts';
import { queueAll } from '../../../shared/registry/replication/sync.ts';
import { nameOfFeed } from '../../../shared/registry/subscriptions/feed.ts';
import { ping } from '../../../shared/registry/subscriptions/ping.ts';
import { clearQueues, waitingOf } from '../../../shared/registry/subscriptions/standing.ts';
import { deliverNow } from '../../deliveries.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

type Replication = Subscription & { readonly sink: ReplicationSink };

const isReplication = (subscription: Subscription | undefined): subscription is Replication =>
  subscription?.sink.kind === 'replication';

async function replicationAt({ subscriptions }: Services, name: SubscriptionName): Promise<Replication> {
  const found = await subscriptions.get(name);
  if (!isReplication(found))
    throw notFound('replication', name, 'List them: berth registry replications list');
  return found;
}

const viewOf = ({ name, repositories, sink, createdAt }: Replication): ReplicationView => ({
  name,
  repositories,
  registry: sink.registry,
  ...(sink.path === undefined ? {} : { path: RepositoryName.parse(sink.path) }),
  deletes: sink.deletes,
  createdAt,
});

export const list = endpoint(listReplications, async ({ services }) => ({
  replications: (await services.subscriptions.list()).filter(isReplication).map(viewOf),
}));

export const get = endpoint(getReplication, async ({ params, services }) => {
  const replication = await replicationAt(services, params.replication);
  const waiting = await waitingOf(services.tables, replication.name, services.now());
  let deadLetters = 0;
  for await (const _letter of services.delivery.dead.list(replication.name)) deadLetters += 1;
  return {
    replication: viewOf(replication),
    waiting: waiting.map(({ feed, event, failures, lastFailure }) => ({
      repository: nameOfFeed(feed),
      since: event.time,
      failures,
      ...(lastFailure === undefined ? {} : { lastFailure }),
    })),
    deadLetters,
  };
});

export const put = endpoint(putReplication, async ({ params, body, services }) => {
  const { credential, repositories, registry, path, deletes } = body;
  const name = params.replication;
  const before = await services.subscriptions.get(name);
  if (before !== undefined && !isReplication(before))
    throw new Terminal({
      code: 'name-taken',
      status: 409,
      message: `${name} is a subscription, and the two share their names.`,
      remedy: 'Choose another name.',
    });
  if (credential !== undefined) await services.replications.put(name, credential);
  const replication: Replication = {
    name,
    repositories,
    actions: deletes ? ['push', 'delete'] : ['push'],
    format: 'cloudevents',
    sink: { kind: 'replication', registry, deletes, ...(path === undefined ? {} : { path }) },
    createdAt: before?.createdAt ?? services.now().toISOString(),
  };
  await services.subscriptions.put(replication);
  return viewOf(replication);
});

export const remove = endpoint(deleteReplication, async ({ params, services }) => {
  const { name } = await replicationAt(services, params.replication);
  const { subscriptions, delivery, tables, now } = services;
  await subscriptions.remove(name);
  await clearQueues(tables, name, now());
  for await (const { id } of delivery.dead.list(name)) await delivery.dead.remove(name, id);
  await services.replications.put(name, null);
  return null;
});

export const sync = endpoint(
  syncReplication,
  async ({ params, principal, services, context }) => {
    const replication = await replicationAt(services, params.replication);
    const actor = principal?.id ?? 'anonymous';
    const { repositories, events } = await queueAll(services.tables, replication, actor, services.now);
    for (const feed of repositories)
      await deliverNow(df.getClient(context), { subscription: replication.name, feed });
    return { repositories: [...repositories], events };
  },
  { durable: true },
);

export const test = endpoint(testReplication, async ({ params, services }) => {
  const delivered = await ping(services.delivery, await replicationAt(services, params.replication));
  return delivered.outcome === 'accepted'
    ? { accepted: true, answer: delivered.answer }
    : { accepted: false, answer: delivered.reason };
});
