import * as df from 'durable-functions';
import {
  deleteSubscription,
  getSubscription,
  listDeadEvents,
  listSubscriptions,
  putSubscription,
  replaceSubscriptionSecret,
  replayDeadEvents,
  testSubscription,
} from '../../../shared/api/routes/subscriptions.ts';
import { authoriseOnEvery } from '../../../shared/auth/authorise.ts';
import type { Principal } from '../../../shared/auth/credentials.ts';
import { mayOnEvery } from '../../../shared/auth/repository-access.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Subscription, SubscriptionName } from '../../../shared/model/subscription.ts';
import { allowedSink } from '../../../shared/registry/subscriptions/allowed-sink.ts';
import { nameOfFeed } from '../../../shared/registry/subscriptions/feed.ts';
import { ping } from '../../../shared/registry/subscriptions/ping.ts';
import { clearQueues, putBack, waitingOf } from '../../../shared/registry/subscriptions/standing.ts';
import { deliverNow } from '../../deliveries.ts';
import type { Services } from '../../services.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

type OfOne = Pick<
  Call<{ subscription: SubscriptionName }, unknown, unknown>,
  'params' | 'principal' | 'services'
>;

/** Delivers at once what waits, also where it waits for the next attempt. */
async function deliverWaiting(
  { tables, now }: Pick<Services, 'tables' | 'now'>,
  client: df.DurableClient,
  subscription: SubscriptionName,
): Promise<void> {
  for (const { feed } of await waitingOf(tables, subscription, now()))
    await deliverNow(client, { subscription, feed });
}

/** Whoever hears of a repository's activity must administer it. */
const authoriseAll = (
  principal: Principal | undefined,
  { repositories }: Pick<Subscription, 'repositories'>,
) => {
  for (const pattern of repositories) authoriseOnEvery(principal, pattern, 'admin');
};

async function subscriptionAt({ params, principal, services }: OfOne): Promise<Subscription> {
  const found = await services.subscriptions.get(params.subscription);
  if (found === undefined)
    throw notFound('subscription', params.subscription, 'List them: berth registry subscriptions list');
  authoriseAll(principal, found);
  return found;
}

export const list = endpoint(listSubscriptions, async ({ principal, services }) => ({
  subscriptions: (await services.subscriptions.list()).filter(({ repositories }) =>
    repositories.every((pattern) => mayOnEvery(principal, pattern, 'admin')),
  ),
}));

export const get = endpoint(getSubscription, async (call) => {
  const subscription = await subscriptionAt(call);
  const { tables, delivery, now } = call.services;
  let deadLetters = 0;
  for await (const _letter of delivery.dead.list(subscription.name)) deadLetters += 1;
  const waiting = await waitingOf(tables, subscription.name, now());
  return {
    subscription,
    waiting: waiting.map(({ feed, event, ...rest }) => ({ repository: nameOfFeed(feed), event, ...rest })),
    deadLetters,
  };
});

export const put = endpoint(
  putSubscription,
  async ({ params, body, principal, services, context }) => {
    authoriseAll(principal, body);
    allowedSink(body.sink, principal?.repositories === undefined);
    const before = await services.subscriptions.get(params.subscription);
    // Who changes a subscription also takes it from what it was about.
    if (before !== undefined) authoriseAll(principal, before);
    if (before?.sink.kind === 'replication') throw replicated(before);
    const createdAt = before?.createdAt ?? services.now().toISOString();
    const subscription: Subscription = { ...body, name: params.subscription, createdAt };
    const isNew = before?.sink.kind !== 'webhook' && body.sink.kind === 'webhook';
    const secret = isNew ? await services.signing.replace(subscription.name) : undefined;
    await services.subscriptions.put(subscription);
    // What a receiver did not take may be taken where it is sent from now on.
    if (before !== undefined) await deliverWaiting(services, df.getClient(context), subscription.name);
    return { subscription, ...(secret === undefined ? {} : { secret }) };
  },
  { durable: true },
);

export const remove = endpoint(deleteSubscription, async (call) => {
  const found = await subscriptionAt(call);
  if (found.sink.kind === 'replication') throw replicated(found);
  const { name } = found;
  const { subscriptions, signing, delivery, tables, now } = call.services;
  await subscriptions.remove(name);
  await clearQueues(tables, name, now());
  for await (const { id } of delivery.dead.list(name)) await delivery.dead.remove(name, id);
  await signing.remove(name);
  return null;
});

/** A replication has a credential too, which goes with it. */
const replicated = ({ name }: Subscription): Terminal =>
  new Terminal({
    code: 'subscription-replicates',
    status: 409,
    message: `${name} is a replication.`,
    remedy: `Change it there: berth registry replications show ${name}`,
  });

export const replaceSecret = endpoint(replaceSubscriptionSecret, async (call) => {
  const { name, sink } = await subscriptionAt(call);
  if (sink.kind !== 'webhook')
    throw new Terminal({
      code: 'subscription-not-signed',
      message: `Subscription ${name} sends to no webhook, and needs no secret.`,
      remedy: 'Only the deliveries of webhooks are signed.',
    });
  return { secret: await call.services.signing.replace(name) };
});

export const test = endpoint(testSubscription, async (call) => {
  const delivered = await ping(call.services.delivery, await subscriptionAt(call));
  return delivered.outcome === 'accepted'
    ? { accepted: true, answer: delivered.answer }
    : { accepted: false, answer: delivered.reason };
});

export const deadLetters = endpoint(listDeadEvents, async (call) => {
  const { name } = await subscriptionAt(call);
  const found = [];
  for await (const { feed, key: _key, ...letter } of call.services.delivery.dead.list(name)) {
    found.push({ ...letter, repository: nameOfFeed(feed) });
    if (found.length === call.query.limit) break;
  }
  return { deadLetters: found };
});

export const replay = endpoint(
  replayDeadEvents,
  async (call) => {
    const { name } = await subscriptionAt(call);
    const { tables, delivery, now } = call.services;
    const replayed = await putBack(tables, delivery.dead, name, call.body.ids, now);
    await deliverWaiting(call.services, df.getClient(call.context), name);
    return { replayed };
  },
  { durable: true },
);
