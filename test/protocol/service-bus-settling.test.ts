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

describe('settling', () => {
  test('an abandoned message comes again with its changes, and is dead-lettered after its last delivery', async () => {
    await client.createSender('commands').sendMessages({ body: 'poison' });
    const receiver = client.createReceiver('commands');
    for (let count = 0; count < 3; count += 1) {
      const message = await nextMessage(receiver);
      expect(message.deliveryCount).toBe(count);
      if (count > 0) expect(message.applicationProperties).toEqual({ attempt: count });
      await receiver.abandonMessage(message, { attempt: count + 1 });
    }
    expect(await receiveAtOnce(receiver)).toEqual([]);
    const dead = client.createReceiver('commands', { subQueueType: 'deadLetter' });
    const message = await nextMessage(dead);
    expect(message).toMatchObject({
      body: 'poison',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: 'commands',
      applicationProperties: { attempt: 3 },
    });
    await dead.completeMessage(message);
    expect(await dead.peekMessages(1)).toEqual([]);
  });

  test('a dead-lettered message keeps its reason and description', async () => {
    await client.createSender('commands').sendMessages({ body: 'bad', applicationProperties: { kept: 1 } });
    const receiver = client.createReceiver('commands');
    await receiver.deadLetterMessage(await nextMessage(receiver), {
      deadLetterReason: 'unknown-type',
      deadLetterErrorDescription: 'There is no command frobnicate.',
      more: 'context',
    });
    const dead = client.createReceiver('commands', { subQueueType: 'deadLetter' });
    expect((await dead.peekMessages(1))[0]).toMatchObject({ deadLetterReason: 'unknown-type' });
    expect(await nextMessage(dead)).toMatchObject({
      deadLetterReason: 'unknown-type',
      deadLetterErrorDescription: 'There is no command frobnicate.',
      applicationProperties: { kept: 1, more: 'context' },
    });
  });

  test('a deferred message is received by its number alone', async () => {
    await client.createSender('plain').sendMessages({ body: 'later' });
    const receiver = client.createReceiver('plain');
    const message = await nextMessage(receiver);
    await receiver.deferMessage(message, { why: 'early' });
    expect(await receiveAtOnce(receiver)).toEqual([]);
    expect((await receiver.peekMessages(1))[0]).toMatchObject({ state: 'deferred' });
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    expect(deferred).toMatchObject({ body: 'later', applicationProperties: { why: 'early' } });
    await receiver.completeMessage(deferred!);
    await expect(receiver.receiveDeferredMessages(message.sequenceNumber!)).rejects.toThrow(
      /no such message/,
    );
  });

  test('a lock is renewed, and a settled one is lost', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const receiver = client.createReceiver('plain');
    const message = await nextMessage(receiver);
    const before = message.lockedUntilUtc!.getTime();
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThanOrEqual(before);
    await receiver.completeMessage(message);
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  test('a message whose lock expires comes again, and its first receiver has lost it', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const first = client.createReceiver('plain', { maxAutoLockRenewalDurationInMs: 0 });
    const lost = await nextMessage(first);
    const second = client.createReceiver('plain');
    const again = await nextMessage(second);
    expect(again).toMatchObject({ body: 1, deliveryCount: 1 });
    await expect(first.completeMessage(lost)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await second.completeMessage(again);
  });

  test('a message is settled after its receiver was closed', async () => {
    await client.createSender('plain').sendMessages({ body: 1 });
    const receiver = client.createReceiver('plain');
    const message = await nextMessage(receiver);
    await receiver.close();
    const other = client.createReceiver('plain');
    await other.completeMessage(message);
    expect(await other.peekMessages(1)).toEqual([]);
  });
});
