import { randomUUID } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import { checkSession, enqueueOne } from './enqueueing.ts';
import type { Sent } from './message-sections.ts';
import { type Publishing, publishing } from './publishing.ts';
import { type Entity, type Inbox, pathOf, type QueueSettings } from './queue.ts';
import { type Rules, rules } from './rules.ts';
import { type HeldSession, type Sessions, sessions } from './sessions.ts';
import { type Settlements, settlements } from './settlements.ts';
import { type Stored, storedOf } from './stored-message.ts';
import { nextDue, passTime } from './time-passing.ts';

/**
 * The messages of all queues, topics and subscriptions. Every call is one transaction that is on disk when it returns.
 * https://learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement
 */
export interface QueueStore extends Settlements, Sessions, Rules, Publishing {
  /**
   * All or none of them; one whose id was seen within the duplicate window is dropped.
   * @returns their sequence numbers; for a dropped one that of the first
   */
  enqueue(queue: QueueSettings, messages: readonly Sent[]): number[];
  /** Locks up to `count` of the oldest active messages, those of `session` if it is given and still held. */
  lock(entity: Entity, count: number, session?: HeldSession): Stored[];
  /** Removes instead. */
  take(entity: Entity, count: number, session?: HeldSession): Stored[];
  /** Up to `count` messages in any state, locked or not, from this sequence number on; of one session if it is named. */
  peek(entity: Entity, from: number, count: number, sessionId?: string): Stored[];
  /** @throws Refused if one of them is not scheduled; then none is cancelled */
  cancelScheduled(queue: Inbox, sequences: readonly number[]): void;
  /** Deferred messages, locked or (`take`) removed. @throws Refused if one of them is not there */
  receiveDeferred(
    entity: Entity,
    sequences: readonly number[],
    take: boolean,
    session?: HeldSession,
  ): Stored[];
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
  const sessionStore = sessions(database, query, now);
  const ruleStore = rules(database, query);
  const oldest = `SELECT sequence FROM messages
    WHERE queue = ? AND dead = ? AND state = 'active' AND lock_token IS NULL`;
  const lockOne = (sequence: number, until: number): Stored => {
    const sql = 'UPDATE messages SET lock_token = ?, locked_until = ? WHERE sequence = ? RETURNING *';
    return oneOf(query(sql, randomUUID(), until, sequence));
  };
  const takeOne = (sequence: number): Stored =>
    oneOf(query('DELETE FROM messages WHERE sequence = ? RETURNING *', sequence));
  /** What is taken from a session is locked as long as the session is. */
  const lockEnd = ({ queue }: Entity, session: HeldSession | undefined): number | undefined =>
    session === undefined ? now() + queue.lockSeconds * 1000 : sessionStore.heldUntil(queue, session);
  const oldestOf = ({ queue, dead }: Entity, count: number, session?: HeldSession): number[] =>
    (session === undefined
      ? query(`${oldest} ORDER BY sequence LIMIT ?`, queue.name, dead ? 1 : 0, count)
      : query(
          `${oldest} AND session_id = ? ORDER BY sequence LIMIT ?`,
          queue.name,
          dead ? 1 : 0,
          session.id,
          count,
        )
    ).map(({ sequence }) => Number(sequence));

  return {
    ...settlements(database, query, now),
    ...sessionStore,
    ...ruleStore,
    ...publishing(database, query, ruleStore, now),
    enqueue: (queue, messages) =>
      transaction(() =>
        messages.map((message) => {
          checkSession(queue, message);
          return enqueueOne(query, queue, message, now());
        }),
      ),
    lock: (entity, count, session) =>
      transaction(() => {
        const until = lockEnd(entity, session);
        if (until === undefined) return [];
        return oldestOf(entity, count, session).map((sequence) => lockOne(sequence, until));
      }),
    take: (entity, count, session) =>
      transaction(() =>
        lockEnd(entity, session) === undefined ? [] : oldestOf(entity, count, session).map(takeOne),
      ),
    peek: ({ queue, dead }, from, count, sessionId) =>
      query(
        `SELECT * FROM messages WHERE queue = ?1 AND dead = ?2 AND sequence >= ?3 AND (?4 IS NULL OR session_id = ?4)
         ORDER BY sequence LIMIT ?5`,
        queue.name,
        dead ? 1 : 0,
        from,
        sessionId ?? null,
        count,
      ).map(storedOf),
    cancelScheduled: (queue, sequences) =>
      transaction(() => {
        for (const sequence of sequences) {
          const sql = `DELETE FROM messages WHERE queue = ? AND sequence = ? AND state = 'scheduled' RETURNING 1`;
          if (query(sql, queue.name, sequence).length === 0) throw missing(sequence, queue.name);
        }
      }),
    receiveDeferred: (entity, sequences, take, session) =>
      transaction(() => {
        const until = lockEnd(entity, session);
        return sequences.map((sequence) => {
          const sql = `SELECT 1 FROM messages WHERE queue = ?1 AND dead = ?2 AND sequence = ?3 AND state = 'deferred'
            AND lock_token IS NULL AND (?4 IS NULL OR session_id = ?4)`;
          const found = query(sql, entity.queue.name, entity.dead ? 1 : 0, sequence, session?.id ?? null);
          if (found.length === 0 || until === undefined) throw missing(sequence, pathOf(entity));
          return take ? takeOne(sequence) : lockOne(sequence, until);
        });
      }),
    passTime: (queue) => transaction(() => passTime(query, queue, now())),
    nextDue: (queue) => nextDue(query, queue),
  };
}

const missing = (sequence: number, path: string) =>
  new Refused(404, 'com.microsoft:message-not-found', `There is no such message ${sequence} in '${path}'.`);

function oneOf(rows: Record<string, unknown>[]): Stored {
  const [row] = rows;
  if (row === undefined) throw new Error('the row is gone although the transaction holds it');
  return storedOf(row);
}
