import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A transaction that is on disk when `transaction` returns; what throws leaves nothing behind. */
export interface Database {
  readonly connection: DatabaseSync;
  transaction<T>(work: () => T): T;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    session_id TEXT,
    enqueue_sequence INTEGER,
    dead INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('active', 'deferred', 'scheduled')),
    enqueued_at INTEGER NOT NULL,
    time_to_live INTEGER,
    due_at INTEGER,
    expires_at INTEGER,
    delivery_count INTEGER NOT NULL DEFAULT 0,
    lock_token TEXT,
    locked_until INTEGER,
    header BLOB,
    annotations BLOB,
    properties BLOB,
    application_properties BLOB,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS next_message ON messages (queue, dead, state, sequence) WHERE lock_token IS NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS locked_message ON messages (lock_token) WHERE lock_token IS NOT NULL;
  CREATE INDEX IF NOT EXISTS due_message ON messages (queue, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS expiring_message ON messages (queue, expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS seen (
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (queue, message_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS seen_at ON seen (queue, at);
  CREATE TABLE IF NOT EXISTS sessions (
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    state BLOB,
    holder TEXT,
    locked_until INTEGER,
    accepted_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS rules (
    subscription TEXT NOT NULL,
    name TEXT NOT NULL,
    filter TEXT NOT NULL,
    PRIMARY KEY (subscription, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subscriptions (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Columns that messages did not have from the start: files of before get them. */
const laterColumns = { session_id: 'TEXT', enqueue_sequence: 'INTEGER' };
const sessionIndex = `CREATE INDEX IF NOT EXISTS session_message ON messages (queue, session_id, sequence)
  WHERE session_id IS NOT NULL AND dead = 0`;

function bringUpToDate(connection: DatabaseSync): void {
  const present = connection.prepare('PRAGMA table_info(messages)').all();
  for (const [name, type] of Object.entries(laterColumns))
    if (!present.some((column) => column.name === name))
      connection.exec(`ALTER TABLE messages ADD COLUMN ${name} ${type}`);
  connection.exec(sessionIndex);
}

/** @param file made with its folder if there is none; `:memory:` for one that nobody keeps */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const connection = new DatabaseSync(file);
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  connection.exec(schema);
  bringUpToDate(connection);
  return {
    connection,
    transaction(work) {
      connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        connection.exec('COMMIT');
        return result;
      } catch (error) {
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => connection.close(),
  };
}
