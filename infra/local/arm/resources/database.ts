import { DatabaseSync } from 'node:sqlite';

export interface Database {
  readonly sql: DatabaseSync;
  /** All or nothing. `work` is synchronous and may be nested. */
  transaction<T>(work: () => T): T;
  /** Calls whoever keeps in memory what the database has, after work was taken back. */
  onRollback(again: () => void): void;
  close(): void;
}

/**
 * Opens or makes the endpoint's database. A commit is in the write-ahead log before it returns, so kill -9 loses nothing;
 * it is not forced to the disk, which would hold up the whole process for milliseconds: after a power cut the last
 * moments may be missing, and `reconcile` brings machines and records together.
 */
export function openDatabase(path: string): Database {
  const sql = new DatabaseSync(path);
  sql.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS resources (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, grp TEXT NOT NULL, document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS resources_by_kind ON resources (kind, grp);
    CREATE TABLE IF NOT EXISTS operations (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
      resource TEXT NOT NULL, input TEXT NOT NULL, status TEXT NOT NULL, failure TEXT, result TEXT,
      started TEXT NOT NULL, ended TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS operations_by_status ON operations (status, resource);
    CREATE TABLE IF NOT EXISTS faults (
      id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, remaining INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  `);
  let depth = 0;
  const afterRollback: (() => void)[] = [];
  return {
    sql,
    onRollback: (again) => void afterRollback.push(again),
    transaction(work) {
      if (depth > 0) return work();
      sql.exec('BEGIN IMMEDIATE');
      depth += 1;
      try {
        const result = work();
        sql.exec('COMMIT');
        return result;
      } catch (error) {
        sql.exec('ROLLBACK');
        for (const again of afterRollback) again();
        throw error;
      } finally {
        depth -= 1;
      }
    },
    close: () => sql.close(),
  };
}
