import { randomUUID } from 'node:crypto';
import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import { type QueueSettings, sessionful } from './queue.ts';
import type { Query } from './queue-store.ts';

/** A session that a receiver holds: nobody else is given its messages meanwhile. */
export interface HeldSession {
  readonly id: string;
  /** Of this receiver; the next one has another. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly lockedUntil: number;
}

/**
 * Who holds which session of a queue, and the state that receivers leave with it.
 * https://learn.microsoft.com/azure/service-bus-messaging/message-sessions
 */
export interface Sessions {
  /** @throws Refused `com.microsoft:session-cannot-be-locked` if it is held by another */
  acceptSession(queue: QueueSettings, id: string): HeldSession;
  /** A free session with messages: the one that was not served for longest. */
  acceptNextSession(queue: QueueSettings): HeldSession | undefined;
  /** Until when, if it is still held. */
  heldUntil(queue: QueueSettings, session: HeldSession): number | undefined;
  /** @returns until when it and the messages taken from it are locked now. @throws Refused `session-lock-lost` */
  renewSession(queue: QueueSettings, session: HeldSession): number;
  /** Its messages that were not settled are free again, as if they had not been delivered. */
  releaseSession(queue: QueueSettings, session: HeldSession): void;
  /** No receiver outlives the process that served it. */
  releaseAllSessions(): void;
  /** @throws Refused `session-lock-lost` */
  sessionState(queue: QueueSettings, session: HeldSession): Buffer | undefined;
  /** @throws Refused `session-lock-lost` */
  setSessionState(queue: QueueSettings, session: HeldSession, state: Buffer | undefined): void;
}

export function sessions(database: Database, query: Query, now: () => number): Sessions {
  const { transaction } = database;
  const rowOf = (queue: QueueSettings, { id, holder }: HeldSession) =>
    query(
      'SELECT * FROM sessions WHERE queue = ? AND id = ? AND holder = ? AND locked_until > ?',
      queue.name,
      id,
      holder,
      now(),
    )[0];
  const held = (queue: QueueSettings, session: HeldSession) => {
    const row = rowOf(queue, session);
    if (row === undefined)
      throw new Refused(
        410,
        'com.microsoft:session-lock-lost',
        `The session lock has expired on the session '${session.id}' of '${queue.name}'.`,
      );
    return row;
  };
  const accept = (queue: QueueSettings, id: string): HeldSession => {
    const session = { id, holder: randomUUID(), lockedUntil: now() + queue.lockSeconds * 1000 };
    query(
      `INSERT INTO sessions (queue, id, holder, locked_until, accepted_at) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (queue, id) DO UPDATE SET holder = ?3, locked_until = ?4, accepted_at = ?5`,
      queue.name,
      id,
      session.holder,
      session.lockedUntil,
      now(),
    );
    return session;
  };

  return {
    acceptSession: (queue, id) =>
      transaction(() => {
        const sql =
          'SELECT 1 FROM sessions WHERE queue = ? AND id = ? AND holder IS NOT NULL AND locked_until > ?';
        if (query(sql, queue.name, id, now()).length > 0)
          throw new Refused(
            410,
            'com.microsoft:session-cannot-be-locked',
            `The requested session '${id}' cannot be accepted. It may be locked by another receiver.`,
          );
        return accept(queue, id);
      }),
    acceptNextSession: (queue) =>
      transaction(() => {
        const [next] = query(
          `SELECT message.session_id AS id FROM messages AS message
             LEFT JOIN sessions AS session ON session.queue = message.queue AND session.id = message.session_id
           WHERE message.queue = ? AND message.dead = 0 AND message.session_id IS NOT NULL
             AND message.state = 'active' AND message.lock_token IS NULL
             AND (session.holder IS NULL OR session.locked_until <= ?)
           GROUP BY message.session_id
           ORDER BY coalesce(max(session.accepted_at), 0), min(message.sequence) LIMIT 1`,
          queue.name,
          now(),
        );
        return next === undefined ? undefined : accept(queue, String(next.id));
      }),
    heldUntil: (queue, session) => {
      const row = rowOf(queue, session);
      return row === undefined ? undefined : Number(row.locked_until);
    },
    renewSession: (queue, session) =>
      transaction(() => {
        held(queue, session);
        const until = now() + queue.lockSeconds * 1000;
        query(
          'UPDATE sessions SET locked_until = ? WHERE queue = ? AND id = ?',
          until,
          queue.name,
          session.id,
        );
        query(
          `UPDATE messages SET locked_until = ?
           WHERE queue = ? AND dead = 0 AND session_id = ? AND lock_token IS NOT NULL`,
          until,
          queue.name,
          session.id,
        );
        return until;
      }),
    releaseSession: (queue, session) =>
      transaction(() => {
        if (rowOf(queue, session) === undefined) return;
        query(
          `UPDATE messages SET lock_token = NULL, locked_until = NULL
           WHERE queue = ? AND dead = 0 AND session_id = ? AND lock_token IS NOT NULL`,
          queue.name,
          session.id,
        );
        freeSessions(query, 'queue = ? AND id = ?', queue.name, session.id);
      }),
    releaseAllSessions: () =>
      transaction(() => {
        query(
          `UPDATE messages SET lock_token = NULL, locked_until = NULL
           WHERE lock_token IS NOT NULL AND dead = 0
             AND EXISTS (SELECT 1 FROM sessions WHERE queue = messages.queue AND id = session_id AND holder IS NOT NULL)`,
        );
        freeSessions(query, 'holder IS NOT NULL');
      }),
    sessionState: (queue, session) => {
      const { state } = held(queue, session);
      return state instanceof Uint8Array ? Buffer.from(state) : undefined;
    },
    setSessionState: (queue, session, state) =>
      transaction(() => {
        held(queue, session);
        query(
          'UPDATE sessions SET state = ? WHERE queue = ? AND id = ?',
          state ?? null,
          queue.name,
          session.id,
        );
      }),
  };
}

/** Sessions whose receivers let the time pass; their messages' locks expire with them. */
export function expireSessions(query: Query, queue: QueueSettings, now: number): void {
  if (sessionful({ queue, dead: false }))
    freeSessions(query, 'queue = ? AND holder IS NOT NULL AND locked_until <= ?', queue.name, now);
}

/** What has neither state nor messages is forgotten. */
function freeSessions(query: Query, which: string, ...values: (string | number)[]): void {
  query(
    `DELETE FROM sessions WHERE ${which} AND state IS NULL AND NOT EXISTS (
       SELECT 1 FROM messages WHERE messages.queue = sessions.queue AND dead = 0 AND session_id = sessions.id)`,
    ...values,
  );
  query(`UPDATE sessions SET holder = NULL, locked_until = NULL WHERE ${which}`, ...values);
}
