import type { Row, Tables, Write } from './tables.ts';

/** A transaction has at most 100 writes and 4 MiB: this many UTF-16 characters of text are safely below that. */
const MOST_WRITES = 100;
const MOST_TEXT = 1_000_000;

interface Batch {
  readonly writes: Map<string, Write>;
  readonly done: Promise<ReadonlyMap<string, string>>;
  size: number;
}

/**
 * Tables that are asked once for what many ask together, as activities of one orchestration do: reads of one row are one
 * read, and unconditional writes of one partition are one transaction. `Together` is before the event loop turns, so nobody
 * is answered from before they asked. Every request costs time here and there, and on Azure money.
 */
export function gathered(tables: Tables): Tables {
  const reads = new Map<string, Promise<Row | undefined>>();
  const batches = new Map<string, Batch>();

  const upsert = (table: string, partition: string, write: Write & { readonly kind: 'upsert' }) => {
    const place = `${table} ${partition}`;
    const text = textOf(write);
    const open = batches.get(place);
    if (open !== undefined && takes(open, write, text)) {
      open.writes.set(write.row, write);
      open.size += text;
      return open.done;
    }
    const writes = new Map<string, Write>([[write.row, write]]);
    // What is of the same row comes after the earlier one.
    const before = open?.done.catch(() => undefined) ?? turn();
    const done = before.then(() => {
      if (batches.get(place)?.done === done) batches.delete(place);
      return tables.commit(table, partition, [...writes.values()]);
    });
    batches.set(place, { writes, done, size: text });
    return done;
  };

  return {
    read(table, partition, row) {
      const place = `${table} ${partition} ${row}`;
      const asked = reads.get(place);
      if (asked !== undefined) return asked;
      const read = turn().then(() => {
        reads.delete(place);
        return tables.read(table, partition, row);
      });
      reads.set(place, read);
      return read;
    },
    list: tables.list,
    async commit(table, partition, writes) {
      const [first] = writes;
      if (writes.length !== 1 || first?.kind !== 'upsert') return tables.commit(table, partition, writes);
      const etags = await upsert(table, partition, first);
      const etag = etags.get(first.row);
      return new Map(etag === undefined ? [] : [[first.row, etag]]);
    },
  };
}

const takes = ({ writes, size }: Batch, { row }: Write, text: number): boolean =>
  writes.size < MOST_WRITES && size + text <= MOST_TEXT && !writes.has(row);

const textOf = ({ values }: Write & { readonly kind: 'upsert' }): number =>
  Object.values(values).reduce<number>((sum, value) => sum + String(value).length, 0);

/** Ends when all that goes on at this moment has had its say. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
