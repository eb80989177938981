import type { ServiceBusClient, ServiceBusSessionReceiver } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nextMessage, startTestServiceBus, type TestServiceBus } from '../support/service-bus.ts';

let bus: TestServiceBus;
let client: ServiceBusClient;
let impatient: ServiceBusClient;
beforeEach(async () => {
  bus = await startTestServiceBus();
  client = bus.connect();
  impatient = bus.connect(undefined, 300);
});
afterEach(async () => {
  await impatient?.close();
  await client?.close();
  await bus?.stop();
});

const send = (sessionId: string, ...bodies: unknown[]) =>
  client.createSender('sessions').sendMessages(bodies.map((body) => ({ body, sessionId })));
const completed = async (receiver: ServiceBusSessionReceiver, count: number): Promise<unknown[]> => {
  const bodies: unknown[] = [];
  while (bodies.length < count)
    for (const message of await receiver.receiveMessages(count, { maxWaitTimeInMs: 10_000 })) {
      bodies.push(message.body);
      await receiver.completeMessage(message);
    }
  return bodies;
};

describe('accepting', () => {
  test('a session by its id gives its messages alone, in order', async () => {
    await send('a', 1);
    await send('b', 'other');
    await send('a', 2, 3);
    const receiver = await client.acceptSession('sessions', 'a');
    expect(receiver.sessionId).toBe('a');
    expect(receiver.sessionLockedUntilUtc.getTime()).toBeGreaterThan(Date.now());
    expect(receiver.sessionLockedUntilUtc.getTime()).toBeLessThanOrEqual(Date.now() + 5000);
    expect(await completed(receiver, 3)).toEqual([1, 2, 3]);
    expect(await receiver.peekMessages(5)).toEqual([]);
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 50 })).toEqual([]);
  });

  test('a session may be accepted before it has messages', async () => {
    const receiver = await client.acceptSession('sessions', 'early');
    await send('early', 'bird');
    expect(await completed(receiver, 1)).toEqual(['bird']);
  });

  test('one receiver at a time, until it is closed', async () => {
    await send('a', 1, 2);
    const first = await client.acceptSession('sessions', 'a');
    await expect(client.acceptSession('sessions', 'a')).rejects.toMatchObject({
      code: 'SessionCannotBeLocked',
    });
    const message = await nextMessage(first);
    await first.close();
    const second = await client.acceptSession('sessions', 'a');
    // Not settled, but not a failed delivery either.
    const again = await nextMessage(second);
    expect(again).toMatchObject({ body: 1, deliveryCount: 0 });
    expect(again.lockToken).not.toBe(message.lockToken);
    await second.completeMessage(again);
    expect(await completed(second, 1)).toEqual([2]);
  });

  test('the next session is a free one that has messages, and each is given once', async () => {
    await send('a', 1);
    await send('b', 2);
    const receivers = await Promise.all([
      client.acceptNextSession('sessions'),
      client.acceptNextSession('sessions'),
    ]);
    expect(receivers.map(({ sessionId }) => sessionId).sort()).toEqual(['a', 'b']);
    for (const receiver of receivers)
      expect(await completed(receiver, 1)).toEqual([receiver.sessionId === 'a' ? 1 : 2]);
  });

  test('who waits for the next session gets the one that comes', async () => {
    const waiting = client.acceptNextSession('sessions');
    await send('late', 'message');
    const receiver = await waiting;
    expect(receiver.sessionId).toBe('late');
    expect(await completed(receiver, 1)).toEqual(['message']);
  });

  test('who waits gets a session that another receiver lets go', async () => {
    await send('a', 1);
    const first = await client.acceptNextSession('sessions');
    const waiting = client.acceptNextSession('sessions');
    await first.close();
    const second = await waiting;
    expect(await completed(second, 1)).toEqual([1]);
  });

  test('who waited for as long as the client said is told so', async () => {
    await expect(impatient.acceptNextSession('sessions')).rejects.toMatchObject({ code: 'ServiceTimeout' });
    // And is no longer in the row.
    await send('a', 1);
    const receiver = await client.acceptNextSession('sessions');
    expect(await completed(receiver, 1)).toEqual([1]);
  });

  test('sessions are served in turn', async () => {
    await send('a', 1, 2);
    await send('b', 3, 4);
    const order: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const receiver = await client.acceptNextSession('sessions');
      order.push(receiver.sessionId);
      await completed(receiver, 1);
      await receiver.close();
    }
    expect(order).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('locks', () => {
  test('a lock that is renewed holds for longer than it was given', async () => {
    await send('a', 1);
    const receiver = await client.acceptSession('sessions', 'a', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await nextMessage(receiver);
    const before = receiver.sessionLockedUntilUtc.getTime();
    const until = (await receiver.renewSessionLock()).getTime();
    expect(until).toBeGreaterThanOrEqual(before);
    const peeked = await receiver.peekMessages(1);
    expect(peeked[0]?.lockedUntilUtc?.getTime()).toBe(until);
    await receiver.completeMessage(message);
  });

  test('an expired lock frees the session, counts as a delivery, and its receiver is told', async () => {
    await send('a', 1, 2);
    const slow = await client.acceptSession('sessions', 'a', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await nextMessage(slow);
    const quick = await client.acceptNextSession('sessions');
    const again = await nextMessage(quick);
    expect(again).toMatchObject({ body: 1, deliveryCount: 1 });
    await expect(slow.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' });
    await expect(slow.renewSessionLock()).rejects.toMatchObject({ code: 'SessionLockLost' });
    await quick.completeMessage(again);
    expect(await completed(quick, 1)).toEqual([2]);
  });

  test('an abandoned message keeps its place, and is a dead letter after its last delivery', async () => {
    await send('a', 1, 2);
    const receiver = await client.acceptSession('sessions', 'a');
    for (let delivery = 0; delivery < 3; delivery += 1) {
      const message = await nextMessage(receiver);
      expect(message).toMatchObject({ body: 1, deliveryCount: delivery });
      await receiver.abandonMessage(message);
    }
    expect(await completed(receiver, 1)).toEqual([2]);
    // Dead letters need no session.
    const dead = client.createReceiver('sessions', { subQueueType: 'deadLetter' });
    const letter = await nextMessage(dead);
    expect(letter).toMatchObject({ body: 1, sessionId: 'a', deadLetterReason: 'MaxDeliveryCountExceeded' });
    await dead.completeMessage(letter);
  });

  test('a deferred message is received by its number within its session', async () => {
    await send('a', 1);
    const receiver = await client.acceptSession('sessions', 'a');
    const message = await nextMessage(receiver);
    await receiver.deferMessage(message);
    const other = await client.acceptSession('sessions', 'b');
    await expect(other.receiveDeferredMessages(message.sequenceNumber!)).rejects.toThrow(/no such message/);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    expect(deferred).toMatchObject({ body: 1, sessionId: 'a' });
    await receiver.completeMessage(deferred!);
    expect(await receiver.peekMessages(1)).toEqual([]);
  });

  test('receive-and-delete works on sessions too', async () => {
    await send('a', 1, 2);
    const receiver = await client.acceptSession('sessions', 'a', { receiveMode: 'receiveAndDelete' });
    expect((await nextMessage(receiver)).body).toBe(1);
    expect((await nextMessage(receiver)).body).toBe(2);
    expect(await receiver.peekMessages(1)).toEqual([]);
  });
});

describe('state', () => {
  test('it stays with the session from receiver to receiver, without messages too', async () => {
    const first = await client.acceptSession('sessions', 'a');
    expect(await first.getSessionState()).toBeNull();
    await first.setSessionState({ step: 2 });
    await first.close();
    const second = await client.acceptSession('sessions', 'a');
    expect(await second.getSessionState()).toEqual({ step: 2 });
    const other = await client.acceptSession('sessions', 'b');
    expect(await other.getSessionState()).toBeNull();
  });
});

describe('order', () => {
  test('many sessions, many receivers: each sees its session whole, one after the other', async () => {
    const sessions = 20;
    const each = 15;
    const sender = client.createSender('events');
    for (let number = 0; number < each; number += 1)
      await sender.sendMessages(
        Array.from({ length: sessions }, (_, session) => ({ body: number, sessionId: `s${session}` })),
      );
    const seen = new Map<string, number[]>();
    const busy = new Set<string>();
    let left = sessions * each;
    const work = async () => {
      while (left > 0) {
        const receiver = await impatient.acceptNextSession('events', 'ordered').catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'ServiceTimeout' });
        });
        if (receiver === undefined) continue;
        const { sessionId } = receiver;
        expect(busy.has(sessionId)).toBe(false);
        busy.add(sessionId);
        for (const message of await receiver.receiveMessages(4, { maxWaitTimeInMs: 200 })) {
          seen.set(sessionId, [...(seen.get(sessionId) ?? []), message.body as number]);
          left -= 1;
          await receiver.completeMessage(message);
        }
        busy.delete(sessionId);
        await receiver.close();
      }
    };
    await Promise.all(Array.from({ length: 6 }, work));
    expect(seen.size).toBe(sessions);
    for (const bodies of seen.values()) expect(bodies).toEqual(Array.from({ length: each }, (_, at) => at));
  });
});

describe('refusing', () => {
  test('a message without a session id', async () => {
    await expect(client.createSender('sessions').sendMessages({ body: 1 })).rejects.toThrow(
      /SessionId was not set/,
    );
    await expect(
      client.createSender('sessions').scheduleMessages({ body: 1 }, new Date(Date.now() + 60_000)),
    ).rejects.toThrow(/SessionId was not set/);
    expect(await client.createReceiver('sessions').peekMessages(1)).toEqual([]);
  });

  test('receiving without a session where sessions are required', async () => {
    await expect(client.createReceiver('sessions').receiveMessages(1)).rejects.toThrow(/requires sessions/);
  });

  test('a session where there are none', async () => {
    await expect(client.acceptSession('plain', 'a')).rejects.toThrow(/requires no sessions/);
    await expect(client.acceptNextSession('plain')).rejects.toThrow(/requires no sessions/);
  });
});
