import type { ServiceBusClient, ServiceBusReceiver, ServiceBusRuleManager } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  nextMessage,
  receiveAtOnce,
  startTestServiceBus,
  type TestServiceBus,
} from '../support/service-bus.ts';

let bus: TestServiceBus;
let client: ServiceBusClient;
let all: ServiceBusReceiver;
beforeEach(async () => {
  bus = await startTestServiceBus();
  client = bus.connect();
  all = client.createReceiver('events', 'all');
});
afterEach(async () => {
  await client?.close();
  await bus?.stop();
});

const send = (...bodies: unknown[]) =>
  client.createSender('events').sendMessages(bodies.map((body) => ({ body, sessionId: 's' })));
/** The client lists no rules as one that is undefined. */
const rulesOf = async (manager: ServiceBusRuleManager) =>
  (await Array.fromAsync(manager.listRules())).filter((rule) => rule !== undefined);
const peeked = async (subscription: string) =>
  (await client.createReceiver('events', subscription).peekMessages(10)).map(({ body }) => body as unknown);

describe('fan-out', () => {
  test('each subscription has a copy of its own, as it was sent', async () => {
    const sent = {
      body: { text: 'ä' },
      messageId: 'm-1',
      subject: 'pushed',
      sessionId: 'library/app',
      correlationId: 'c-1',
      contentType: 'application/json',
      applicationProperties: { string: 's', number: 42, yes: true },
    };
    await client.createSender('events').sendMessages(sent);
    const [first] = await all.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
    expect(first).toMatchObject(sent);
    await all.completeMessage(first!);
    expect(await peeked('all')).toEqual([]);
    const ordered = await client.acceptSession('events', 'ordered', 'library/app');
    const [second] = await ordered.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
    expect(second).toMatchObject(sent);
    expect(second!.sequenceNumber).not.toEqual(first!.sequenceNumber);
    expect(second!.enqueuedSequenceNumber).toEqual(first!.enqueuedSequenceNumber);
    await ordered.completeMessage(second!);
  });

  test('in the order in which they were sent', async () => {
    await send(1, 2, 3);
    await send(4, 5);
    const bodies: unknown[] = [];
    while (bodies.length < 5)
      for (const message of await all.receiveMessages(5, { maxWaitTimeInMs: 10_000 })) {
        bodies.push(message.body);
        await all.completeMessage(message);
      }
    expect(bodies).toEqual([1, 2, 3, 4, 5]);
  });

  test('a duplicate is dropped before any subscription', async () => {
    const sender = client.createSender('events');
    await sender.sendMessages({ body: 'first', messageId: 'same', sessionId: 's' });
    await sender.sendMessages({ body: 'second', messageId: 'same', sessionId: 's' });
    expect(await peeked('all')).toEqual(['first']);
    expect(await peeked('ordered')).toEqual(['first']);
  });

  test('each has its own locks, delivery counts and dead letters', async () => {
    await send('poison');
    for (let delivery = 0; delivery < 3; delivery += 1) {
      const message = await nextMessage(all);
      expect(message.deliveryCount).toBe(delivery);
      await all.abandonMessage(message);
    }
    const dead = client.createReceiver('events', 'all', { subQueueType: 'deadLetter' });
    expect(await nextMessage(dead)).toMatchObject({
      body: 'poison',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: 'events/subscriptions/all',
    });
    expect((await client.createReceiver('events', 'ordered').peekMessages(1))[0]).toMatchObject({
      body: 'poison',
      deliveryCount: 0,
    });
  });

  test('a subscription may let messages live shorter', async () => {
    await send('brief');
    const dead = client.createReceiver('events', 'brief', { subQueueType: 'deadLetter' });
    expect(await nextMessage(dead)).toMatchObject({
      body: 'brief',
      deadLetterReason: 'TTLExpiredException',
    });
    expect(await peeked('all')).toEqual(['brief']);
  });

  test('a scheduled message reaches subscriptions when it is due, and none if it is cancelled', async () => {
    const sender = client.createSender('events');
    const due = new Date(Date.now() + 1500);
    const [, second] = await sender.scheduleMessages(
      [
        { body: 'due', sessionId: 's' },
        { body: 'cancelled', sessionId: 's' },
      ],
      due,
    );
    await sender.cancelScheduledMessages(second!);
    expect(await peeked('all')).toEqual([]);
    expect(await nextMessage(all)).toMatchObject({ body: 'due' });
    expect(Date.now()).toBeGreaterThanOrEqual(due.getTime());
    expect(await peeked('ordered')).toEqual(['due']);
  });

  test('a message without a session is a dead letter where sessions are required', async () => {
    await client.createSender('events').sendMessages({ body: 'homeless' });
    expect(await peeked('all')).toEqual(['homeless']);
    const dead = client.createReceiver('events', 'ordered', { subQueueType: 'deadLetter' });
    expect(await nextMessage(dead)).toMatchObject({
      body: 'homeless',
      deadLetterReason: 'Session ID is null',
    });
  });
});

describe('rules', () => {
  test('a subscription begins with one that lets everything through', async () => {
    expect(await rulesOf(client.createRuleManager('events', 'all'))).toMatchObject([
      { name: '$Default', filter: { sqlExpression: '1=1' } },
    ]);
  });

  test('a correlation filter wants all of its fields', async () => {
    const manager = client.createRuleManager('events', 'all');
    await manager.createRule('pushes', {
      subject: 'push',
      applicationProperties: { repository: 'library/app', tries: 2 },
    });
    await manager.deleteRule('$Default');
    expect(await rulesOf(manager)).toMatchObject([
      {
        name: 'pushes',
        filter: { subject: 'push', applicationProperties: { repository: 'library/app', tries: 2 } },
      },
    ]);
    const properties = { repository: 'library/app', tries: 2 };
    await client.createSender('events').sendMessages([
      { body: 'taken', sessionId: 's', subject: 'push', applicationProperties: properties },
      { body: 'other subject', sessionId: 's', subject: 'Push', applicationProperties: properties },
      {
        body: 'other type',
        sessionId: 's',
        subject: 'push',
        applicationProperties: { ...properties, tries: '2' },
      },
      { body: 'less', sessionId: 's', subject: 'push' },
    ]);
    expect(await peeked('all')).toEqual(['taken']);
    expect(await peeked('ordered')).toHaveLength(4);
  });

  test('any of several suffices, and gives one copy; without one nothing comes', async () => {
    const manager = client.createRuleManager('events', 'all');
    await manager.createRule('more', { sqlExpression: '1 = 1' });
    await manager.createRule('none', { sqlExpression: '1=0' });
    await send('once');
    expect(await peeked('all')).toEqual(['once']);
    for (const { name } of await rulesOf(manager)) await manager.deleteRule(name);
    await send('never');
    // A client's peek goes on where its last one ended.
    expect(await peeked('all')).toEqual([]);
    expect(await rulesOf(manager)).toEqual([]);
  });

  test('what is not evaluated here is refused, and so are names twice and unknown ones', async () => {
    const manager = client.createRuleManager('events', 'all');
    await expect(manager.createRule('sql', { sqlExpression: "sys.Label = 'x'" })).rejects.toThrow(
      /use a correlation filter/,
    );
    await expect(
      manager.createRule('set', { sqlExpression: '1=1' }, { sqlExpression: 'SET x = 1' }),
    ).rejects.toThrow(/no actions/);
    await expect(manager.createRule('$Default', { subject: 'x' })).rejects.toMatchObject({
      code: 'MessagingEntityAlreadyExists',
    });
    await expect(manager.deleteRule('unknown')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
    expect(await rulesOf(manager)).toHaveLength(1);
  });
});

describe('refusing', () => {
  test('receiving from a topic, and sending to a subscription', async () => {
    await expect(client.createReceiver('events').receiveMessages(1)).rejects.toThrow(/is a topic/);
    await expect(client.createSender('events/Subscriptions/all').sendMessages({ body: 1 })).rejects.toThrow(
      /is a subscription/,
    );
  });

  test('a subscription or topic that is not there', async () => {
    await expect(client.createReceiver('events', 'none').receiveMessages(1)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(client.createSender('nothing').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    expect(await receiveAtOnce(all)).toEqual([]);
  });
});
