import { deadLetterRow, failDelivery } from './dead-lettering.ts';
import type { Inbox, QueueSettings } from './queue.ts';
import type { Query } from './queue-store.ts';
import { expireSessions } from './sessions.ts';
import { storedOf } from './stored-message.ts';

/** Does what is due in a queue and its dead-letter queue by now. */
export function passTime(query: Query, queue: QueueSettings, now: number): void {
  expireLocks(query, queue, now);
  expireSessions(query, queue, now);
  activateScheduled(query, queue, now);
  expireMessages(query, queue, now);
}

/** When something is due next, milliseconds since 1970. */
export function nextDue(query: Query, queue: QueueSettings): number | undefined {
  const [next] = query(
    `SELECT min(at) AS at FROM (
       SELECT min(locked_until) AS at FROM messages WHERE lock_token IS NOT NULL AND queue = ?1
       UNION ALL SELECT min(locked_until) FROM sessions WHERE holder IS NOT NULL AND queue = ?1
       UNION ALL SELECT min(due_at) FROM messages WHERE due_at IS NOT NULL AND queue = ?1
       UNION ALL SELECT min(expires_at) FROM messages
         WHERE expires_at IS NOT NULL AND lock_token IS NULL AND queue = ?1)`,
    queue.name,
  );
  return typeof next?.at === 'number' ? next.at : undefined;
}

function expireLocks(query: Query, queue: QueueSettings, now: number): void {
  const sql = 'SELECT * FROM messages WHERE lock_token IS NOT NULL AND queue = ? AND locked_until <= ?';
  for (const row of query(sql, queue.name, now)) failDelivery(query, queue, storedOf(row));
}

/** A scheduled message lives from when it becomes active. */
export function activateScheduled(query: Query, queue: Inbox, now: number): void {
  query(
    `UPDATE messages SET state = 'active', enqueued_at = due_at, expires_at = due_at + time_to_live, due_at = NULL
     WHERE queue = ? AND due_at IS NOT NULL AND due_at <= ?`,
    queue.name,
    now,
  );
}

/** A locked message does not expire under its receiver. */
function expireMessages(query: Query, queue: QueueSettings, now: number): void {
  const due = 'queue = ? AND expires_at IS NOT NULL AND expires_at <= ? AND lock_token IS NULL';
  if (!queue.deadLetterOnExpiry) {
    query(`DELETE FROM messages WHERE ${due}`, queue.name, now);
    return;
  }
  for (const row of query(`SELECT * FROM messages WHERE ${due}`, queue.name, now))
    deadLetterRow(query, storedOf(row), {
      DeadLetterReason: 'TTLExpiredException',
      DeadLetterErrorDescription: 'The message expired and was dead lettered.',
    });
}
