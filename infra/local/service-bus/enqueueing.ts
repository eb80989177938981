import { Refused } from './amqp.ts';
import type { Sent } from './message-sections.ts';
import type { Inbox, QueueSettings } from './queue.ts';
import type { Query } from './queue-store.ts';

/** As Azure allows. */
const longestSessionId = 128;

/** @throws Refused for a message that a queue which requires sessions cannot place */
export function checkSession(queue: QueueSettings, { sessionId }: Sent): void {
  if (queue.requiresSession && sessionId === undefined)
    throw new Refused(
      400,
      'amqp:not-allowed',
      `The SessionId was not set on a message, and '${queue.name}' requires sessions: set it.`,
    );
}

/** @returns its sequence number; for one whose id was seen within the duplicate window that of the first */
export function enqueueOne(query: Query, inbox: Inbox, message: Sent, now: number): number {
  const { sections, messageId, sessionId, scheduledFor } = message;
  if (sessionId !== undefined && sessionId.length > longestSessionId)
    throw new Refused(
      400,
      'com.microsoft:argument-out-of-range',
      `The SessionId has ${sessionId.length} characters, at most ${longestSessionId} are allowed.`,
    );
  const detects = inbox.duplicateWindowSeconds > 0 && messageId !== undefined;
  if (detects) {
    const since = now - inbox.duplicateWindowSeconds * 1000;
    query('DELETE FROM seen WHERE queue = ? AND at <= ?', inbox.name, since);
    const [first] = query(
      'SELECT sequence FROM seen WHERE queue = ? AND message_id = ?',
      inbox.name,
      messageId,
    );
    if (first !== undefined) return Number(first.sequence);
  }
  const later = scheduledFor !== undefined && scheduledFor > now;
  const timeToLive = lifeOf(inbox, message);
  const [row] = query(
    `INSERT INTO messages (queue, state, session_id, enqueued_at, time_to_live, due_at, expires_at,
       header, annotations, properties, application_properties, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence`,
    inbox.name,
    later ? 'scheduled' : 'active',
    sessionId ?? null,
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
      inbox.name,
      messageId,
      now,
      sequence,
    );
  return sequence;
}

/** Milliseconds: the sender's, at most the queue's. */
function lifeOf({ timeToLiveSeconds }: Inbox, { timeToLive }: Sent): number | null {
  if (timeToLiveSeconds === undefined) return timeToLive ?? null;
  return Math.min(timeToLive ?? Number.POSITIVE_INFINITY, timeToLiveSeconds * 1000);
}
