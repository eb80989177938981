import type { Sections } from './message-sections.ts';

/** A message as the queue holds it. Times in milliseconds since 1970. */
export interface Stored {
  readonly sequence: number;
  /** Its number in the topic that it came through. */
  readonly enqueueSequence: number | undefined;
  readonly queue: string;
  readonly sessionId: string | undefined;
  readonly dead: boolean;
  readonly state: 'active' | 'deferred' | 'scheduled';
  readonly enqueuedAt: number;
  readonly dueAt: number | undefined;
  readonly expiresAt: number | undefined;
  /** Deliveries that failed so far. */
  readonly deliveryCount: number;
  readonly lockToken: string | undefined;
  readonly lockedUntil: number | undefined;
  readonly sections: Sections;
}

/** A row of the table `messages`. */
export type StoredRow = Record<string, unknown>;

export function storedOf(row: StoredRow): Stored {
  return {
    sequence: Number(row.sequence),
    enqueueSequence: optional(row.enqueue_sequence),
    queue: String(row.queue),
    sessionId: row.session_id === null ? undefined : String(row.session_id),
    dead: row.dead === 1,
    state: row.state as Stored['state'],
    enqueuedAt: Number(row.enqueued_at),
    dueAt: optional(row.due_at),
    expiresAt: optional(row.expires_at),
    deliveryCount: Number(row.delivery_count),
    lockToken: row.lock_token === null ? undefined : String(row.lock_token),
    lockedUntil: optional(row.locked_until),
    sections: {
      header: bytes(row.header),
      annotations: bytes(row.annotations),
      properties: bytes(row.properties),
      applicationProperties: bytes(row.application_properties),
      body: bytes(row.body) ?? Buffer.alloc(0),
    },
  };
}

const optional = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const bytes = (value: unknown): Buffer | undefined =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
