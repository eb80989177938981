import type { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  nextMessage,
  receiveAtOnce,
  startTestServiceBus,
  type TestServiceBus,
} from '../support/service-bus.ts';

let bus: TestServiceBus;
let client: ServiceBusClient;
beforeEach(async () => {
  bus = await startTestServiceBus();
  client = bus.connect();
});
afterEach(async () => {
  await client?.close();
  await bus?.stop();
});

describe('sending and receiving', () => {
  test('a message arrives as it was sent, with what the broker adds', async () => {
    const sent = {
      body: { type: 'deploy', list: [1, 'two', null], text: 'ä' },
      messageId: 'm-1',
      subject: 'subject',
      contentType: 'application/json',
      correlationId: 'c-1',
      replyTo: 'elsewhere',
      to: 'there',
      applicationProperties: { string: 's', number: 42, fraction: 0.5, yes: true, big: 2 ** 40 },
      timeToLive: 3_600_000,
    };
    await client.createSender('commands').sendMessages(sent);
    const message = await nextMessage(client.createReceiver('commands'));
    expect(message).toMatchObject(sent);
    expect(message).toMatchObject({ deliveryCount: 0, state: 'active' });
    expect(message.sequenceNumber?.toNumber()).toBeGreaterThan(0);
    expect(message.lockToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(message.lockedUntilUtc!.getTime()).toBeGreaterThan(Date.now() + 30_000);
    expect(Math.abs(message.enqueuedTimeUtc!.getTime() - Date.now())).toBeLessThan(30_000);
  });

  test('a completed message is gone, in order, batch or single', async () => {
    const sender = client.createSender('plain');
    const batch = await sender.createMessageBatch();
    for (const body of ['one', 'two', 'three']) expect(batch.tryAddMessage({ body })).toBe(true);
    await sender.sendMessages(batch);
    await sender.sendMessages([{ body: 'four' }, { body: 'five' }]);
    const receiver = client.createReceiver('plain');
    const bodies: unknown[] = [];
    while (bodies.length < 5)
      for (const message of await receiver.receiveMessages(5, { maxWaitTimeInMs: 10_000 })) {
        bodies.push(message.body);
        await receiver.completeMessage(message);
      }
    expect(bodies).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await receiver.peekMessages(5)).toEqual([]);
    expect(await receiveAtOnce(receiver)).toEqual([]);
  });

  test('receive-and-delete removes what it delivers', async () => {
    await client.createSender('plain').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('plain', { receiveMode: 'receiveAndDelete' });
    expect((await nextMessage(receiver)).body).toBe(1);
    expect((await nextMessage(receiver)).body).toBe(2);
    expect(await receiver.peekMessages(5)).toEqual([]);
  });

  test('a subscribed receiver is given messages as they come, thousands of them', async () => {
    const receiver = client.createReceiver('plain');
    const seen = new Set<number>();
    // More than the 2048 deliveries that a session holds unless they are settled.
    const count = 2200;
    let done = () => {};
    const all = new Promise<void>((resolve, reject) => {
      done = resolve;
      receiver.subscribe(
        {
          async processMessage({ body }) {
            seen.add(body);
            if (seen.size === count) done();
          },
          async processError({ error }) {
            reject(error);
          },
        },
        { maxConcurrentCalls: 100 },
      );
    });
    const sender = client.createSender('plain');
    for (let first = 0; first < count; first += 550)
      await sender.sendMessages(Array.from({ length: 550 }, (_, index) => ({ body: first + index })));
    await all;
    await receiver.close();
    const rest = client.createReceiver('plain');
    expect(await receiveAtOnce(rest)).toEqual([]);
  });

  test('two receivers share a queue, and no message is given twice', async () => {
    const receivers = [client.createReceiver('plain'), client.createReceiver('plain')];
    await client.createSender('plain').sendMessages(Array.from({ length: 20 }, (_, body) => ({ body })));
    const got = await Promise.all(
      receivers.map((receiver) => receiver.receiveMessages(10, { maxWaitTimeInMs: 5000 })),
    );
    const bodies = got.flat().map(({ body }) => body as number);
    expect(new Set(bodies).size).toBe(bodies.length);
  });

  test('a message of an id that was seen is dropped', async () => {
    const sender = client.createSender('commands');
    await sender.sendMessages({ body: 'first', messageId: 'same' });
    await sender.sendMessages({ body: 'second', messageId: 'same' });
    await sender.sendMessages({ body: 'third', messageId: 'other' });
    const receiver = client.createReceiver('commands');
    const bodies = (await receiver.peekMessages(10)).map(({ body }) => body);
    expect(bodies).toEqual(['first', 'third']);
    await receiver.completeMessage(await nextMessage(receiver));
    await sender.sendMessages({ body: 'fourth', messageId: 'same' });
    const third = await nextMessage(receiver);
    expect(third.body).toBe('third');
    await receiver.completeMessage(third);
    expect(await receiveAtOnce(receiver)).toEqual([]);
  });

  test('a message that is too large is refused', async () => {
    const sender = client.createSender('plain');
    await expect(sender.sendMessages({ body: 'x'.repeat(300_000) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
  });
});

describe('scheduling', () => {
  test('a scheduled message waits for its time', async () => {
    const sender = client.createSender('plain');
    const due = new Date(Date.now() + 1500);
    const [number] = await sender.scheduleMessages({ body: 'due' }, due);
    const receiver = client.createReceiver('plain');
    expect((await receiver.peekMessages(1))[0]).toMatchObject({ state: 'scheduled', sequenceNumber: number });
    expect(await receiveAtOnce(receiver)).toEqual([]);
    const message = await nextMessage(receiver);
    expect(message.body).toBe('due');
    expect(Date.now()).toBeGreaterThanOrEqual(due.getTime());
    await receiver.completeMessage(message);
  });

  test('a cancelled one never comes, and cannot be cancelled again', async () => {
    const sender = client.createSender('plain');
    const numbers = await sender.scheduleMessages(
      [{ body: 1 }, { body: 2 }],
      new Date(Date.now() + 3600_000),
    );
    await sender.cancelScheduledMessages(numbers[0]!);
    const left = await client.createReceiver('plain').peekMessages(5);
    expect(left.map(({ body }) => body)).toEqual([2]);
    await expect(sender.cancelScheduledMessages(numbers[0]!)).rejects.toThrow(/no such message/);
  });

  test('a message that lived too long does not come', async () => {
    const sender = client.createSender('plain');
    await sender.sendMessages([{ body: 'short', timeToLive: 1 }, { body: 'long' }]);
    const receiver = client.createReceiver('plain');
    expect((await nextMessage(receiver)).body).toBe('long');
  });
});
