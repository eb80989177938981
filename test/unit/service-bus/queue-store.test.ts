import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import rhea from 'rhea';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../infra/local/service-bus/database.ts';
import { deliveredBytes } from '../../../infra/local/service-bus/delivered.ts';
import { readMessage, type Sent } from '../../../infra/local/service-bus/message-sections.ts';
import { type Entity, QueueSettings } from '../../../infra/local/service-bus/queue.ts';
import { type QueueStore, queueStore } from '../../../infra/local/service-bus/queue-store.ts';
import type { Stored } from '../../../infra/local/service-bus/stored-message.ts';

const queue = QueueSettings.parse({
  name: 'q',
  maxDeliveryCount: 3,
  lockSeconds: 60,
  duplicateWindowSeconds: 600,
});
const active: Entity = { queue, dead: false };
const dead: Entity = { queue, dead: true };

let now = 0;
let store: QueueStore;
beforeEach(() => {
  now = 1_000_000;
  store = queueStore(openDatabase(':memory:'), () => now);
});

const message = (body: string, more: object = {}): Sent =>
  readMessage(rhea.message.encode({ body: rhea.message.data_section(Buffer.from(body)), ...more }));
const read = (stored: Stored | undefined): Record<string, unknown> => {
  const decoded = rhea.message.decode(deliveredBytes(stored!));
  return { ...decoded, body: String(decoded.body.content) };
};
const lockOne = (entity = active): Stored => {
  store.passTime(queue);
  return store.lock(entity, 1)[0]!;
};
const passed = (milliseconds: number) => {
  now += milliseconds;
  store.passTime(queue);
};

describe('time', () => {
  test('an expired lock counts as a delivery, and the last one dead-letters', () => {
    store.enqueue(queue, [message('a')]);
    for (let count = 0; count < 3; count += 1) {
      const locked = lockOne();
      expect(locked.deliveryCount).toBe(count);
      expect(store.nextDue(queue)).toBe(now + 60_000);
      expect(store.lock(active, 1)).toEqual([]);
      passed(60_000);
      expect(() => store.complete(active, locked.lockToken!)).toThrow(/has expired/);
    }
    expect(lockOne()).toBeUndefined();
    expect(read(lockOne(dead))).toMatchObject({
      body: 'a',
      application_properties: { DeadLetterReason: 'MaxDeliveryCountExceeded' },
      message_annotations: { 'x-opt-deadletter-source': 'q' },
    });
  });

  test('a renewed lock holds from then on', () => {
    store.enqueue(queue, [message('a')]);
    const { lockToken } = lockOne();
    passed(59_000);
    expect(store.renew(active, lockToken!)).toBe(now + 60_000);
    passed(59_000);
    store.complete(active, lockToken!);
    expect(store.peek(active, 0, 1)).toEqual([]);
  });

  test('a scheduled message lives from when it is due', () => {
    store.enqueue(queue, [
      message('a', {
        ttl: 1000,
        message_annotations: { 'x-opt-scheduled-enqueue-time': new Date(now + 5000) },
      }),
    ]);
    expect(store.nextDue(queue)).toBe(now + 5000);
    expect(store.peek(active, 0, 1)[0]?.state).toBe('scheduled');
    passed(5000);
    const locked = lockOne();
    expect(locked).toMatchObject({ enqueuedAt: now, expiresAt: now + 1000 });
    passed(2000);
    store.abandon(active, locked.lockToken!, {});
    passed(0);
    expect(store.peek(active, 0, 1)).toEqual([]);
  });

  test('expired messages are dropped, or dead-lettered where the queue says so', () => {
    store.enqueue(queue, [message('a', { ttl: 10 })]);
    passed(10);
    expect(store.peek(active, 0, 1)).toEqual([]);
    const keeping = { ...queue, name: 'keeping', deadLetterOnExpiry: true };
    store.enqueue(keeping, [message('b', { ttl: 10 })]);
    now += 10;
    store.passTime(keeping);
    expect(read(store.lock({ queue: keeping, dead: true }, 1)[0])).toMatchObject({
      application_properties: { DeadLetterReason: 'TTLExpiredException' },
    });
  });

  test('an id is forgotten after the duplicate window', () => {
    const sent = message('a', { message_id: 'same' });
    const [first] = store.enqueue(queue, [sent]);
    expect(store.enqueue(queue, [sent, message('b')])[0]).toBe(first);
    passed(600_000);
    expect(store.enqueue(queue, [sent])[0]).toBeGreaterThan(first!);
    expect(store.peek(active, 0, 10)).toHaveLength(3);
  });

  test('the ids 1 and "1" are two', () => {
    store.enqueue(queue, [message('a', { message_id: 1 }), message('b', { message_id: '1' })]);
    expect(store.peek(active, 0, 10)).toHaveLength(2);
  });
});

describe('settling', () => {
  test('abandoned messages keep their place', () => {
    store.enqueue(queue, [message('a'), message('b')]);
    store.abandon(active, lockOne().lockToken!, { seen: true });
    expect(read(lockOne())).toMatchObject({
      body: 'a',
      delivery_count: 1,
      application_properties: { seen: true },
    });
  });

  test('a released message was never delivered', () => {
    store.enqueue(queue, [message('a')]);
    store.release(active, lockOne().lockToken!);
    expect(lockOne().deliveryCount).toBe(0);
  });

  test('each lock settles once, and only where its message is', () => {
    store.enqueue(queue, [message('a')]);
    const { lockToken } = lockOne();
    expect(() => store.complete(dead, lockToken!)).toThrow(/has expired/);
    store.deadLetter(active, lockToken!, { DeadLetterReason: 'because' });
    expect(() => store.complete(active, lockToken!)).toThrow(/settled already/);
    const { lockToken: again } = lockOne(dead);
    expect(() => store.deadLetter(dead, again!, {})).toThrow(/no dead-letter queue/);
    store.complete(dead, again!);
    expect(store.peek(dead, 0, 1)).toEqual([]);
  });

  test('the dead-letter queue has no last delivery', () => {
    store.enqueue(queue, [message('a')]);
    store.deadLetter(active, lockOne().lockToken!, {});
    for (let count = 0; count < 5; count += 1) store.abandon(dead, lockOne(dead).lockToken!, {});
    expect(lockOne(dead).deliveryCount).toBe(5);
  });

  test('deferred messages: all that were asked for, or none', () => {
    const [a, b] = store.enqueue(queue, [message('a'), message('b')]) as [number, number];
    store.defer(active, lockOne().lockToken!, {});
    expect(() => store.receiveDeferred(active, [a, b], false)).toThrow(/no such message/);
    const [deferred] = store.receiveDeferred(active, [a], false);
    expect(() => store.receiveDeferred(active, [a], false)).toThrow(/no such message/);
    store.abandon(active, deferred!.lockToken!, {});
    expect(store.receiveDeferred(active, [a], true)[0]).toMatchObject({ deliveryCount: 1 });
    expect(store.peek(active, 0, 5).map(({ sequence }) => sequence)).toEqual([b]);
  });

  test('scheduled messages are cancelled all or none', () => {
    const later = { message_annotations: { 'x-opt-scheduled-enqueue-time': new Date(now + 5000) } };
    const [a, b] = store.enqueue(queue, [message('a', later), message('b')]) as [number, number];
    expect(() => store.cancelScheduled(queue, [a, b])).toThrow(/no such message/);
    store.cancelScheduled(queue, [a]);
    expect(store.peek(active, 0, 5).map(({ sequence }) => sequence)).toEqual([b]);
  });
});

describe('messages', () => {
  test('what nobody rewrites keeps its bytes and its types', () => {
    const { types } = rhea;
    const given = {
      durable: true,
      priority: 7,
      message_id: 'id',
      application_properties: {
        int: types.wrap_int(5),
        long: types.wrap_long(5),
        symbol: types.wrap_symbol('s'),
        uuid: types.wrap_uuid(Buffer.alloc(16, 7)),
      },
      message_annotations: { 'x-opt-partition-key': 'p' },
      body: { map: [1, 'two'] },
    };
    const sent = readMessage(rhea.message.encode(given));
    store.enqueue(queue, [sent]);
    store.abandon(active, lockOne().lockToken!, {});
    const locked = lockOne();
    expect(locked.sections.applicationProperties).toEqual(sent.sections.applicationProperties);
    expect(locked.sections.body).toEqual(sent.sections.body);
    expect(rhea.message.decode(deliveredBytes(locked))).toMatchObject({
      durable: true,
      priority: 7,
      delivery_count: 1,
      message_annotations: { 'x-opt-partition-key': 'p', 'x-opt-sequence-number': locked.sequence },
      body: { map: [1, 'two'] },
    });
  });

  test('a change leaves the other properties as they were', () => {
    const { types } = rhea;
    const uuid = Buffer.alloc(16, 7);
    store.enqueue(queue, [message('a', { application_properties: { uuid: types.wrap_uuid(uuid) } })]);
    store.abandon(active, lockOne().lockToken!, { added: 'x', none: undefined });
    const { sections } = lockOne();
    expect(sections.applicationProperties!.includes(Buffer.concat([Buffer.of(0x98), uuid]))).toBe(true);
    expect(read(store.peek(active, 0, 1)[0]).application_properties).toEqual({
      uuid: expect.anything(),
      added: 'x',
    });
  });

  test.each([
    { what: 'nothing', bytes: Buffer.alloc(0) },
    { what: 'no AMQP', bytes: Buffer.from('hello') },
    { what: 'half a message', bytes: rhea.message.encode({ body: 'hello world' }).subarray(0, 8) },
  ])('$what is refused', ({ bytes }) => {
    expect(() => readMessage(bytes)).toThrow(/no AMQP message/);
  });
});

describe('a file of before sessions and topics', () => {
  test('keeps its messages, and takes part in what came later', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bus-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'bus.sqlite');
    const before = new DatabaseSync(file);
    before.exec(`CREATE TABLE messages (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, dead INTEGER NOT NULL DEFAULT 0,
      state TEXT NOT NULL, enqueued_at INTEGER NOT NULL, time_to_live INTEGER, due_at INTEGER, expires_at INTEGER,
      delivery_count INTEGER NOT NULL DEFAULT 0, lock_token TEXT, locked_until INTEGER, header BLOB, annotations BLOB,
      properties BLOB, application_properties BLOB, body BLOB NOT NULL) STRICT;`);
    const { body } = message('old').sections;
    before
      .prepare(`INSERT INTO messages (queue, state, enqueued_at, body) VALUES ('q', 'active', 1, ?)`)
      .run(body);
    before.close();
    store = queueStore(openDatabase(file), () => now);
    expect(read(lockOne())).toMatchObject({ body: 'old' });
    const sessions = { ...queue, name: 'sessions', requiresSession: true };
    store.enqueue(sessions, [message('new', { group_id: 'a' })]);
    expect(store.acceptNextSession(sessions)?.id).toBe('a');
  });
});

describe('sessions', () => {
  const sessions = { ...queue, name: 'sessions', requiresSession: true };
  const entity: Entity = { queue: sessions, dead: false };

  test('what is taken from one is locked as long as it is, and renewed with it', () => {
    store.enqueue(sessions, [message('a', { group_id: 's' }), message('b', { group_id: 's' })]);
    const session = store.acceptSession(sessions, 's');
    now += 30_000;
    const [first] = store.lock(entity, 1, session);
    expect(first?.lockedUntil).toBe(session.lockedUntil);
    const until = store.renewSession(sessions, session);
    expect(until).toBe(now + 60_000);
    now = until - 1;
    store.passTime(sessions);
    store.complete(entity, first!.lockToken!);
    expect(store.nextDue(sessions)).toBe(until);
    now = until;
    store.passTime(sessions);
    expect(store.lock(entity, 1, session)).toEqual([]);
    expect(() => store.renewSession(sessions, session)).toThrow(/expired/);
    expect(store.acceptNextSession(sessions)?.id).toBe('s');
  });

  test('one that was let go and has neither messages nor state leaves nothing behind', () => {
    const database = openDatabase(':memory:');
    store = queueStore(database, () => now);
    const left = () =>
      database.connection
        .prepare('SELECT id FROM sessions')
        .all()
        .map(({ id }) => id);
    store.releaseSession(sessions, store.acceptSession(sessions, 'gone'));
    const kept = store.acceptSession(sessions, 'kept');
    store.setSessionState(sessions, kept, Buffer.from('1'));
    store.releaseSession(sessions, kept);
    store.acceptSession(sessions, 'expired');
    now += 60_000;
    store.passTime(sessions);
    expect(left()).toEqual(['kept']);
  });

  test('a session id that is too long is refused', () => {
    expect(() => store.enqueue(sessions, [message('a', { group_id: 'x'.repeat(129) })])).toThrow(
      /at most 128/,
    );
    expect(store.peek(entity, 0, 1)).toEqual([]);
  });
});
