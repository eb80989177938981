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
`;

/** @param file made with its folder if there is none; `:memory:` for one that nobody keeps */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const connection = new DatabaseSync(file);
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  connection.exec(schema);
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
