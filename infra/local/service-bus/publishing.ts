import { Refused } from './amqp.ts';
import type { Database } from './database.ts';
import { deadLetterRow } from './dead-lettering.ts';
import { enqueueOne } from './enqueueing.ts';
import { matches } from './filters.ts';
import { describe, type Sent } from './message-sections.ts';
import type { QueueSettings, TopicSettings } from './queue.ts';
import type { Query } from './queue-store.ts';
import type { Rules } from './rules.ts';
import { type Stored, storedOf } from './stored-message.ts';
import { activateScheduled } from './time-passing.ts';

/** What is sent to topics: a copy for each subscription that takes it, in the transaction that accepts it. */
export interface Publishing {
  /** All or none of them. @returns their sequence numbers in the topic; for a duplicate that of the first */
  publish(topic: TopicSettings, messages: readonly Sent[]): number[];
  /** Scheduled messages wait in the topic, and are copied when they are due. */
  passTopicTime(topic: TopicSettings): void;
  nextTopicDue(topic: TopicSettings): number | undefined;
}

export function publishing(
  database: Database,
  query: Query,
  rules: Pick<Rules, 'rulesOf'>,
  now: () => number,
): Publishing {
  const distribute = (topic: TopicSettings): void => {
    const sql = `SELECT * FROM messages WHERE queue = ? AND state = 'active' ORDER BY sequence`;
    const accepted = query(sql, topic.name).map(storedOf);
    if (accepted.length === 0) return;
    const takers = topic.subscriptions.map((queue) => ({ queue, rules: rules.rulesOf(queue.name) }));
    for (const message of accepted) {
      const described = describe(message.sections);
      for (const { queue, rules } of takers)
        if (rules.some(({ filter }) => matches(filter, described))) copy(query, queue, message);
      query('DELETE FROM messages WHERE sequence = ?', message.sequence);
    }
  };
  return {
    publish: (topic, messages) =>
      database.transaction(() => {
        const sequences = messages.map((message) => enqueueOne(query, topic, message, now()));
        distribute(topic);
        return sequences;
      }),
    passTopicTime: (topic) =>
      database.transaction(() => {
        activateScheduled(query, topic, now());
        distribute(topic);
      }),
    nextTopicDue: (topic) => {
      const [next] = query(
        'SELECT min(due_at) AS at FROM messages WHERE queue = ? AND due_at IS NOT NULL',
        topic.name,
      );
      return typeof next?.at === 'number' ? next.at : undefined;
    },
  };
}

/** The subscription may let it live shorter than the topic does. */
function copy(query: Query, queue: QueueSettings, message: Stored): void {
  const { sections, sessionId, enqueuedAt } = message;
  const expiries = [message.expiresAt, lifeEnd(queue, enqueuedAt)].filter((at) => at !== undefined);
  const [row] = query(
    `INSERT INTO messages (queue, state, session_id, enqueue_sequence, enqueued_at, expires_at,
       header, annotations, properties, application_properties, body)
     VALUES (?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
    queue.name,
    sessionId ?? null,
    message.sequence,
    enqueuedAt,
    expiries.length === 0 ? null : Math.min(...expiries),
    sections.header ?? null,
    sections.annotations ?? null,
    sections.properties ?? null,
    sections.applicationProperties ?? null,
    sections.body,
  );
  if (row === undefined) throw new Refused(500, 'amqp:internal-error', 'The message was not stored.');
  if (queue.requiresSession && sessionId === undefined)
    deadLetterRow(query, storedOf(row), {
      DeadLetterReason: 'Session ID is null',
      DeadLetterErrorDescription:
        "Session enabled entity doesn't allow a message whose session identifier is null.",
    });
}

const lifeEnd = ({ timeToLiveSeconds }: QueueSettings, from: number): number | undefined =>
  timeToLiveSeconds === undefined ? undefined : from + timeToLiveSeconds * 1000;
