import { randomUUID } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import type { Sent } from './message-sections.ts';
import { type Entity, pathOf, type QueueSettings } from './queue.ts';
import { type Settlements, settlements } from './settlements.ts';
import { type Stored, storedOf } from './stored-message.ts';
import { nextDue, passTime } from './time-passing.ts';

/**
 * The messages of all queues. Every call is one transaction that is on disk when it returns.
 * https://learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement
 */
export interface QueueStore extends Settlements {
  /**
   * All or none of them; one whose id was seen within the duplicate window is dropped.
   * @returns their sequence numbers; for a dropped one that of the first
   */
  enqueue(queue: QueueSettings, messages: readonly Sent[]): number[];
  /** Locks up to `count` of the oldest active messages. */
  lock(entity: Entity, count: number): Stored[];
  /** Removes up to `count` of the oldest active messages. */
  take(entity: Entity, count: number): Stored[];
  /** Up to `count` messages in any state, locked or not, from this sequence number on. */
  peek(entity: Entity, from: number, count: number): Stored[];
  /** @throws Refused if one of them is not scheduled; then none is cancelled */
  cancelScheduled(queue: QueueSettings, sequences: readonly number[]): void;
  /** Deferred messages, locked or (`take`) removed. @throws Refused if one of them is not there */
  receiveDeferred(entity: Entity, sequences: readonly number[], take: boolean): Stored[];
  /** Does what is due by now: locks and messages expire, scheduled messages become active. */
  passTime(queue: QueueSettings): void;
  /** When more is due, milliseconds since 1970. */
  nextDue(queue: QueueSettings): number | undefined;
}

/** Runs a statement, prepared once. */
export type Query = (sql: string, ...values: SQLInputValue[]) => Record<string, unknown>[];

export function queueStore(database: Database, now: () => number = Date.now): QueueStore {
  const prepared = new Map<string, ReturnType<typeof database.connection.prepare>>();
  const query: Query = (sql, ...values) => {
    const statement = prepared.get(sql) ?? database.connection.prepare(sql);
    prepared.set(sql, statement);
    return statement.all(...values);
  };
  const { transaction } = database;
  const oldest = `SELECT sequence FROM messages
    WHERE queue = ? AND dead = ? AND state = 'active' AND lock_token IS NULL ORDER BY sequence LIMIT ?`;
  const lockOne = (entity: Entity, sequence: number): Stored => {
    const until = now() + entity.queue.lockSeconds * 1000;
    const sql = 'UPDATE messages SET lock_token = ?, locked_until = ? WHERE sequence = ? RETURNING *';
    return oneOf(query(sql, randomUUID(), until, sequence));
  };
  const takeOne = (sequence: number): Stored =>
    oneOf(query('DELETE FROM messages WHERE sequence = ? RETURNING *', sequence));
  const oldestOf = ({ queue, dead }: Entity, count: number): number[] =>
    query(oldest, queue.name, dead ? 1 : 0, count).map(({ sequence }) => Number(sequence));

  return {
    ...settlements(database, query, now),
    enqueue: (queue, messages) =>
      transaction(() => messages.map((message) => enqueueOne(query, queue, message, now()))),
    lock: (entity, count) =>
      transaction(() => oldestOf(entity, count).map((sequence) => lockOne(entity, sequence))),
    take: (entity, count) => transaction(() => oldestOf(entity, count).map(takeOne)),
    peek: ({ queue, dead }, from, count) =>
      query(
        'SELECT * FROM messages WHERE queue = ? AND dead = ? AND sequence >= ? ORDER BY sequence LIMIT ?',
        queue.name,
        dead ? 1 : 0,
        from,
        count,
      ).map(storedOf),
    cancelScheduled: (queue, sequences) =>
      transaction(() => {
        for (const sequence of sequences) {
          const sql = `DELETE FROM messages WHERE queue = ? AND sequence = ? AND state = 'scheduled' RETURNING 1`;
          if (query(sql, queue.name, sequence).length === 0) throw missing(sequence, queue.name);
        }
      }),
    receiveDeferred: (entity, sequences, take) =>
      transaction(() =>
        sequences.map((sequence) => {
          const sql = `SELECT 1 FROM messages WHERE queue = ? AND dead = ? AND sequence = ? AND state = 'deferred' AND lock_token IS NULL`;
          if (query(sql, entity.queue.name, entity.dead ? 1 : 0, sequence).length === 0)
            throw missing(sequence, pathOf(entity));
          return take ? takeOne(sequence) : lockOne(entity, sequence);
        }),
      ),
    passTime: (queue) => transaction(() => passTime(query, queue, now())),
    nextDue: (queue) => nextDue(query, queue),
  };
}

function enqueueOne(query: Query, queue: QueueSettings, message: Sent, now: number): number {
  const { sections, messageId, scheduledFor } = message;
  const detects = queue.duplicateWindowSeconds > 0 && messageId !== undefined;
  if (detects) {
    const since = now - queue.duplicateWindowSeconds * 1000;
    query('DELETE FROM seen WHERE queue = ? AND at <= ?', queue.name, since);
    const [first] = query(
      'SELECT sequence FROM seen WHERE queue = ? AND message_id = ?',
      queue.name,
      messageId,
    );
    if (first !== undefined) return Number(first.sequence);
  }
  const later = scheduledFor !== undefined && scheduledFor > now;
  const timeToLive = message.timeToLive ?? null;
  const [row] = query(
    `INSERT INTO messages (queue, state, enqueued_at, time_to_live, due_at, expires_at,
       header, annotations, properties, application_properties, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence`,
    queue.name,
    later ? 'scheduled' : 'active',
    now,
    timeToLive,
    later ? scheduledFor : null,
    later || timeToLive === null ? null : now + timeToLive,
    sections.header ?? null,
    sections.annotations ?? null,
    sections.properties ?? null,
    sections.applicationProperties ?? null,
    sections.body,
  );
  const sequence = Number(row?.sequence);
  if (detects)
    query(
      'INSERT INTO seen (queue, message_id, at, sequence) VALUES (?, ?, ?, ?)',
      queue.name,
      messageId,
      now,
      sequence,
    );
  return sequence;
}

const missing = (sequence: number, path: string) =>
  new Refused(404, 'com.microsoft:message-not-found', `There is no such message ${sequence} in '${path}'.`);

function oneOf(rows: Record<string, unknown>[]): Stored {
  const [row] = rows;
  if (row === undefined) throw new Error('the row is gone although the transaction holds it');
  return storedOf(row);
}
