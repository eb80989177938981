import { Conflict, checkWrites, type Range, type Row, type Tables, type Write } from './tables.ts';

/** Tables in this process's memory: for tests, with the same order, ETags and conflicts. */
export function memoryTables(): Tables {
  const tables = new Map<string, Map<string, Row>>();
  let version = 0;
  const idOf = (partition: string, row: string) => `${partition}\u0000${row}`;
  const rowsOf = (table: string): Map<string, Row> => {
    const found = tables.get(table) ?? new Map<string, Row>();
    tables.set(table, found);
    return found;
  };

  return {
    async read(table, partition, row) {
      return rowsOf(table).get(idOf(partition, row));
    },
    async *list(table, range: Range) {
      const ids = [...rowsOf(table).keys()].sort();
      for (const id of ids) {
        const row = rowsOf(table).get(id);
        if (row !== undefined && inRange(row, range)) yield row;
      }
    },
    async commit(table, partition, writes) {
      checkWrites(writes);
      const rows = rowsOf(table);
      for (const write of writes)
        check(rows.get(idOf(partition, write.row)), write, `${table}/${partition}/${write.row}`);
      const etags = new Map<string, string>();
      for (const write of writes) {
        const id = idOf(partition, write.row);
        if (write.kind === 'delete') {
          rows.delete(id);
          continue;
        }
        version += 1;
        const etag = `"${version}"`;
        rows.set(id, { partition, row: write.row, etag, values: { ...write.values } });
        etags.set(write.row, etag);
      }
      return etags;
    },
  };
}

const inRange = (row: Row, { partition, from, to }: Range): boolean =>
  (partition === undefined || row.partition === partition) &&
  (from === undefined || row.row >= from) &&
  (to === undefined || row.row < to);

function check(found: Row | undefined, write: Write, where: string): void {
  if (write.kind === 'insert' && found !== undefined) throw new Conflict('exists', where);
  if ((write.kind === 'replace' || write.kind === 'delete') && found === undefined)
    throw new Conflict('missing', where);
  const etag = write.kind === 'replace' || write.kind === 'delete' ? write.etag : undefined;
  if (etag !== undefined && found?.etag !== etag) throw new Conflict('changed', where);
}
