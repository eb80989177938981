import type { Database } from '../resources/database.ts';
import type { Json } from '../resources/resource.ts';
import type { Failure, Operation } from './operation.ts';

export interface OperationRows {
  insert(id: string, kind: string, resource: string, input: Json, started: Date): void;
  get(id: string): Operation | undefined;
  busy(resource: string): boolean;
  /** In the order in which they were accepted. */
  inProgress(): readonly Operation[];
  end(
    id: string,
    status: Operation['status'],
    ended: Date,
    failure: Failure | undefined,
    result: unknown,
  ): void;
}

const KEPT_MS = 24 * 60 * 60 * 1000;

export function operationRows(database: Database): OperationRows {
  const { sql } = database;
  const insert = sql.prepare(
    "INSERT INTO operations (id, kind, resource, input, status, started) VALUES (?, ?, ?, ?, 'InProgress', ?)",
  );
  const select = sql.prepare('SELECT * FROM operations WHERE id = ?');
  const busy = sql.prepare(
    "SELECT 1 FROM operations WHERE status = 'InProgress' AND resource = ? COLLATE NOCASE LIMIT 1",
  );
  const open = sql.prepare("SELECT * FROM operations WHERE status = 'InProgress' ORDER BY seq");
  const end = sql.prepare(
    'UPDATE operations SET status = ?, ended = ?, failure = ?, result = ? WHERE id = ?',
  );
  const forget = sql.prepare('DELETE FROM operations WHERE ended < ?');
  return {
    insert: (id, kind, resource, input, started) =>
      void insert.run(id, kind, resource, JSON.stringify(input), started.toISOString()),
    get(id) {
      const row = select.get(id.toLowerCase());
      return row === undefined ? undefined : operation(row);
    },
    busy: (resource) => busy.get(resource) !== undefined,
    inProgress: () => open.all().map(operation),
    end(id, status, ended, failure, result) {
      end.run(
        status,
        ended.toISOString(),
        failure === undefined ? null : JSON.stringify(failure),
        result === undefined ? null : JSON.stringify(result),
        id,
      );
      forget.run(new Date(ended.getTime() - KEPT_MS).toISOString());
    },
  };
}

function operation(row: unknown): Operation {
  const values = row as Record<string, string | null>;
  const json = (value: string | null | undefined) => (value == null ? undefined : JSON.parse(value));
  return {
    id: String(values.id),
    kind: String(values.kind),
    resource: String(values.resource),
    input: json(values.input),
    status: values.status as Operation['status'],
    failure: json(values.failure),
    result: json(values.result),
    started: String(values.started),
    ended: values.ended ?? undefined,
  };
}
