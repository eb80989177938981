import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import { deadLetterRow, failDelivery } from './dead-lettering.ts';
import { withProperties } from './message-sections.ts';
import { type Entity, pathOf, sessionful } from './queue.ts';
import type { Query } from './queue-store.ts';
import { type Stored, storedOf } from './stored-message.ts';

/** Application properties that a receiver sets while it settles. */
export type Changes = Readonly<Record<string, unknown>>;

/** What becomes of a locked message. All of them throw Refused `com.microsoft:message-lock-lost`. */
export interface Settlements {
  complete(entity: Entity, token: string): void;
  /** Counts as a failed delivery; the last one dead-letters it. */
  abandon(entity: Entity, token: string, changes: Changes): void;
  /** Unlocks it as if it had not been delivered. */
  release(entity: Entity, token: string): void;
  defer(entity: Entity, token: string, changes: Changes): void;
  /** `changes` hold DeadLetterReason and DeadLetterErrorDescription too. */
  deadLetter(entity: Entity, token: string, changes: Changes): void;
  /** @returns until when it is locked now, milliseconds since 1970 */
  renew(entity: Entity, token: string): number;
}

export function settlements(database: Database, query: Query, now: () => number): Settlements {
  const locked = (entity: Entity, token: string): Stored => {
    const [row] = query(
      'SELECT * FROM messages WHERE lock_token = ? AND queue = ? AND dead = ? AND locked_until > ?',
      token,
      entity.queue.name,
      entity.dead ? 1 : 0,
      now(),
    );
    if (row === undefined)
      throw new Refused(
        410,
        'com.microsoft:message-lock-lost',
        `The lock ${token} in '${pathOf(entity)}' has expired, or its message was settled already.`,
      );
    return storedOf(row);
  };
  const settle =
    <Rest extends unknown[]>(change: (message: Stored, entity: Entity, ...rest: Rest) => void) =>
    (entity: Entity, token: string, ...rest: Rest): void =>
      database.transaction(() => change(locked(entity, token), entity, ...rest));
  const changed = (message: Stored, changes: Changes): Stored => {
    const applicationProperties = withProperties(message.sections.applicationProperties, changes);
    query(
      'UPDATE messages SET application_properties = ? WHERE sequence = ?',
      applicationProperties ?? null,
      message.sequence,
    );
    return { ...message, sections: { ...message.sections, applicationProperties } };
  };

  return {
    complete: settle(({ sequence }) => {
      query('DELETE FROM messages WHERE sequence = ?', sequence);
    }),
    abandon: settle((message, { queue }, changes: Changes) => {
      failDelivery(query, queue, changed(message, changes));
    }),
    release: settle(({ sequence }) => {
      query('UPDATE messages SET lock_token = NULL, locked_until = NULL WHERE sequence = ?', sequence);
    }),
    defer: settle((message, _entity, changes: Changes) => {
      changed(message, changes);
      query(
        `UPDATE messages SET state = 'deferred', lock_token = NULL, locked_until = NULL WHERE sequence = ?`,
        message.sequence,
      );
    }),
    deadLetter: settle((message, entity, changes: Changes) => {
      if (entity.dead)
        throw new Refused(
          400,
          'amqp:not-allowed',
          `'${pathOf(entity)}' has no dead-letter queue of its own.`,
        );
      deadLetterRow(query, message, changes);
    }),
    renew: (entity, token) =>
      database.transaction(() => {
        if (sessionful(entity))
          throw new Refused(
            400,
            'amqp:not-allowed',
            `'${pathOf(entity)}' requires sessions: renew the lock of the session, not of a message.`,
          );
        const until = now() + entity.queue.lockSeconds * 1000;
        const { sequence } = locked(entity, token);
        query('UPDATE messages SET locked_until = ? WHERE sequence = ?', until, sequence);
        return until;
      }),
  };
}
