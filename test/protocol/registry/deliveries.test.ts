import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyStandardWebhook } from '../../../shared/events/standard-webhooks.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { Subscription } from '../../../shared/model/subscription.ts';
import { leftBehind } from '../../../shared/registry/left-behind.ts';
import { deadEvents, type GivenUp } from '../../../shared/registry/subscriptions/dead-letters.ts';
import {
  type DeliveryParts,
  deliverWaiting,
} from '../../../shared/registry/subscriptions/deliver-waiting.ts';
import { queued } from '../../../shared/registry/subscriptions/queue.ts';
import { signingSecrets } from '../../../shared/registry/subscriptions/signing-secrets.ts';
import { webhookSink } from '../../../shared/registry/subscriptions/sink.webhook.ts';
import { putBack, waitingOf } from '../../../shared/registry/subscriptions/standing.ts';
import { subscriptionStore } from '../../../shared/registry/subscriptions/subscription-store.ts';
import { Secret } from '../../../shared/secrets/secret.ts';
import { blobSecrets } from '../../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import type { Tables } from '../../../shared/state/tables.ts';
import { testImage } from '../../support/oci-image.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const image = () => testImage([randomBytes(300)], { form: 'oci' });
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const later = (date: Date, seconds: number) => new Date(date.getTime() + seconds * 1000);

describe.each(['memory', 'azurite'] as const)('deliveries with queues in %s', (kind) => {
  let storage: RegistryStorage;
  let receiver: Receiver;
  beforeAll(async () => {
    storage = await registryStorages[kind]();
  });
  afterAll(() => storage?.stop());
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  let count = 0;
  /** A registry, and a subscription of its own that hears of the repositories below its name. */
  async function world(
    over: { format?: 'cloudevents' | 'distribution'; tables?: Tables; url?: string } = {},
  ) {
    count += 1;
    const name = `s${count}`;
    const tables = over.tables ?? storage.tables;
    let now = new Date();
    const clock = () => now;
    const subscriptions = subscriptionStore(tables, clock);
    const current = new Secret(randomBytes(32).toString('base64'));
    const secrets = blobSecrets(memoryBlobs(), { current, previous: undefined });
    const signing = signingSecrets(secrets, clock);
    const subscription = Subscription.parse({
      name,
      repositories: [`${name}/**`],
      actions: ['push', 'pull', 'delete', 'mount'],
      format: over.format ?? 'cloudevents',
      sink: { kind: 'webhook', url: over.url ?? receiver.url, allowHttp: true, allowPrivate: true },
      createdAt: now.toISOString(),
    });
    await subscriptions.put(subscription);
    const secret = await signing.replace(subscription.name);
    const parts: DeliveryParts = {
      tables,
      subscriptions,
      dead: deadEvents(tables),
      open: async (of, sink) => {
        if (sink.kind !== 'webhook') throw new Error('this test has no topic');
        return webhookSink(sink, { secrets: await signing.of(of), now: clock });
      },
      now: clock,
    };
    const client = registryClient((await testRegistry({ ...storage, tables })).handle);
    const feed = `${name}/a` as RepositoryName;
    const deliver = () => deliverWaiting(parts, { subscription: subscription.name, feed });
    return {
      name: subscription.name,
      client,
      feed,
      parts,
      signing,
      secret,
      deliver,
      pass: (seconds: number) => {
        now = later(now, seconds);
      },
      /** Delivers and waits, as the orchestration does, until the queue is empty. @returns seconds that it waited */
      async drain(): Promise<number> {
        const start = now.getTime();
        for (;;) {
          const outcome = await deliver();
          if (outcome.outcome === 'empty') return Math.round((now.getTime() - start) / 1000);
          if (outcome.outcome === 'failed') now = later(now, outcome.waitSeconds);
        }
      },
      dead: (): Promise<GivenUp[]> => all(parts.dead.list(subscription.name)),
      waiting: () => all(queued(tables, subscription.name, feed)),
      push: (tag: string, made = image()) => client.pushImage(feed, tag, made),
    };
  }
  const tagsOf = () =>
    receiver.received.map(({ body }) => (JSON.parse(body.toString()) as { subject: string }).subject);

  test('what is done comes in order, once, signed', async () => {
    const { client, feed, push, drain, secret, waiting } = await world();
    for (const tag of ['one', 'two', 'three']) await push(tag);
    await client.request('GET', `/v2/${feed}/manifests/two`);
    await client.request('DELETE', `/v2/${feed}/manifests/one`);
    expect(await drain()).toBe(0);
    expect(tagsOf()).toEqual(['one', 'two', 'three', 'two', 'one']);
    const types = receiver.received.map(({ body }) => CloudEvent.parse(JSON.parse(body.toString())).type);
    expect(types.map((type) => type.slice(19))).toEqual(['push', 'push', 'push', 'pull', 'delete']);
    for (const { headers, body } of receiver.received) {
      expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
      const of = (name: string) => (headers[name] as string | undefined) ?? null;
      expect(await verifyStandardWebhook(of, body, [secret], new Date())).toMatch(/^msg_[0-9a-f]{40}$/);
      await expect(verifyStandardWebhook(of, body, ['whsec_AAAA'], new Date())).rejects.toThrow();
    }
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(5);
    expect(await waiting()).toEqual([]);
    expect(await drain()).toBe(0);
    expect(receiver.received).toHaveLength(5);
  });

  test("distribution's envelope", async () => {
    const { client, feed, push, drain } = await world({ format: 'distribution' });
    const made = image();
    await push('v1', made);
    await client.request('GET', `/v2/${feed}/manifests/v1`, { headers: { 'user-agent': 'tests/1' } });
    await drain();
    const [pushed, pulled] = receiver.received.map(({ headers, body }) => {
      expect(headers['content-type']).toBe('application/vnd.docker.distribution.events.v2+json');
      return (JSON.parse(body.toString()) as { events: unknown[] }).events;
    });
    const { digest, bytes, mediaType } = made.manifest;
    expect(pushed).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{40}$/),
        timestamp: expect.stringMatching(/Z$/),
        action: 'push',
        target: {
          mediaType,
          digest,
          size: bytes.length,
          length: bytes.length,
          repository: feed,
          url: `https://registry.test/v2/${feed}/manifests/${digest}`,
          tag: 'v1',
        },
        request: expect.objectContaining({ host: 'registry.test', method: 'PUT' }),
        actor: { name: 'operator' },
        source: { addr: 'registry.test' },
      },
    ]);
    expect(pulled).toMatchObject([{ action: 'pull', request: { method: 'GET', useragent: 'tests/1' } }]);
  });

  test('a receiver that fails gets the same event again, and then the next ones', async () => {
    const { push, drain, waiting, dead, deliver } = await world();
    for (const tag of ['one', 'two']) await push(tag);
    let failures = 0;
    receiver.behave((_request, response) => {
      failures += 1;
      response.writeHead(failures > 4 ? 200 : 503).end('not now');
    });
    expect(await deliver()).toEqual({
      outcome: 'failed',
      waitSeconds: 5,
      reason: 'answered 503 not now',
    });
    expect(await waiting()).toMatchObject([
      { entry: { failures: 1, lastFailure: 'answered 503 not now', events: [{ subject: 'one' }] } },
      { entry: { failures: 0 } },
    ]);
    expect(await drain()).toBe(30 + 120 + 600);
    expect(tagsOf()).toEqual(['one', 'one', 'one', 'one', 'one', 'two']);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(2);
    expect(await dead()).toEqual([]);
  });

  test('an event that is given up becomes a dead letter; the next goes on; a replay brings it back', async () => {
    const { name, parts, push, drain, dead, feed } = await world();
    for (const tag of ['bad', 'good']) await push(tag);
    receiver.behave(({ body }, response) =>
      response.writeHead(body.includes('"subject":"bad"') ? 500 : 204).end('no such luck'),
    );
    const waited = await drain();
    expect(waited).toBe(5 + 30 + 120 + 600 + 1800 + 3600 + 7200 + 7200);
    expect(tagsOf()).toEqual([...Array(9).fill('bad'), 'good']);
    const [letter, ...others] = await dead();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      feed,
      attempts: 9,
      reason: '9 attempts failed',
      lastFailure: 'answered 500 no such luck',
      event: { subject: 'bad' },
    });
    receiver.behave((_request, response) => response.writeHead(204).end());
    receiver.received.splice(0);
    await push('new');
    expect(await putBack(parts.tables, parts.dead, name, ['none'], parts.now)).toBe(0);
    expect(await putBack(parts.tables, parts.dead, name, [letter!.id], parts.now)).toBe(1);
    expect(await dead()).toEqual([]);
    expect((await waitingOf(parts.tables, name, parts.now())).map(({ event }) => event.subject)).toEqual([
      'bad',
    ]);
    await drain();
    expect(tagsOf()).toEqual(['bad', 'new']);
  });

  test('what a receiver that was away for days missed is given up one attempt each', async () => {
    const { push, drain, dead, pass } = await world();
    for (const tag of ['one', 'two', 'three']) await push(tag);
    pass(25.5 * 3600);
    receiver.behave((_request, response) => response.writeHead(502).end());
    expect(await drain()).toBe(0);
    expect(tagsOf()).toEqual(['one', 'two', 'three']);
    expect((await dead()).map(({ reason }) => reason)).toEqual(
      Array(3).fill('it could not be delivered for 25 hours'),
    );
  });

  test('410 is final; Retry-After is minded', async () => {
    const { push, deliver, dead } = await world();
    await push('one');
    receiver.behave((_request, response) => response.writeHead(429, { 'retry-after': '77' }).end());
    expect(await deliver()).toMatchObject({ outcome: 'failed', waitSeconds: 77 });
    receiver.behave((_request, response) => response.writeHead(410).end());
    expect(await deliver()).toEqual({ outcome: 'empty' });
    expect(await dead()).toMatchObject([{ attempts: 2, lastFailure: 'answered 410' }]);
  });

  test('redirects are not followed, long answers are cut', async () => {
    const { push, deliver } = await world();
    await push('one');
    receiver.behave((_request, response) => response.writeHead(307, { location: receiver.url }).end());
    expect(await deliver()).toMatchObject({ reason: 'answered 307; redirects are not followed' });
    receiver.behave((_request, response) => response.writeHead(500).end('x'.repeat(10_000_000)));
    expect(await deliver()).toMatchObject({ reason: `answered 500 ${'x'.repeat(300)}` });
    expect(receiver.received).toHaveLength(2);
  });

  test('a receiver that is not there is a failure with its reason', async () => {
    const { push, deliver } = await world({ url: 'http://127.0.0.1:9/' });
    await push('one');
    expect(await deliver()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('while a secret is replaced, deliveries carry both signatures; later only the new one', async () => {
    const { name, push, deliver, signing, secret, pass } = await world();
    const next = await signing.replace(name);
    const fits = async (with_: string) => {
      const { headers, body } = receiver.received.at(-1)!;
      const at = new Date(Number(headers['webhook-timestamp']) * 1000);
      const of = (header: string) => (headers[header] as string | undefined) ?? null;
      return verifyStandardWebhook(of, body, [with_], at).then(
        () => true,
        () => false,
      );
    };
    await push('one');
    await deliver();
    expect([await fits(secret), await fits(next)]).toEqual([true, true]);
    pass(25 * 3600);
    await push('two');
    await deliver();
    expect([await fits(secret), await fits(next)]).toEqual([false, true]);
  });

  test('what was delivered and not taken out comes again under its id: nothing is lost', async () => {
    let broken = false;
    const tables: Tables = {
      ...storage.tables,
      commit: async (table, partition, writes) => {
        if (broken && writes.some(({ row }) => row.startsWith('q!'))) throw new Error('killed here');
        return storage.tables.commit(table, partition, writes);
      },
    };
    const { push, deliver, drain } = await world({ tables });
    for (const tag of ['one', 'two']) await push(tag);
    broken = true;
    await expect(deliver()).rejects.toThrow('killed here');
    broken = false;
    await drain();
    expect(tagsOf()).toEqual(['one', 'one', 'two']);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).toBe(ids[1]);
  });

  test('a queue whose subscription is gone is emptied', async () => {
    const { name, push, deliver, parts, feed } = await world();
    await push('one');
    await subscriptionStore(parts.tables, parts.now).remove(name);
    expect(await deliver()).toEqual({ outcome: 'empty' });
    expect(receiver.received).toEqual([]);
    const left = await all(leftBehind(storage.tables, new Date()));
    expect(left.filter((one) => one.feed === feed && one.subscriptions.length > 0)).toEqual([]);
  });
});
