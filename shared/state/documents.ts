import type { z } from 'zod';
import { Conflict, type Range, type Tables, type Values, type Write } from './tables.ts';

export interface Stored<T> {
  readonly partition: string;
  readonly row: string;
  readonly etag: string;
  readonly value: T;
}

/** Longest text that one table property holds: 64 KiB of UTF-16. */
const CHUNK = 32_000;

/** A document as a row's values: JSON in as many properties as it needs; at most about 480,000 characters. */
export function documentValues(value: unknown): Values {
  const text = JSON.stringify(value);
  const chunks: Record<string, string> = {};
  for (let at = 0, part = 0; at < text.length; at += CHUNK, part += 1)
    chunks[`json${part}`] = text.slice(at, at + CHUNK);
  return chunks;
}

/** The document in a row's values, checked by its schema. */
export function documentOf<T>(schema: z.ZodType<T>, values: Values): T {
  let text = '';
  for (let part = 0; typeof values[`json${part}`] === 'string'; part += 1) text += values[`json${part}`];
  return schema.parse(JSON.parse(text));
}

/** One kind of document in one table, parsed whenever it is read. */
export interface Documents<T> {
  get(partition: string, row: string): Promise<Stored<T> | undefined>;
  list(range: Range): AsyncIterable<Stored<T>>;
  /** @throws Conflict `exists` */
  insert(partition: string, row: string, value: T): Promise<Stored<T>>;
  /** @throws Conflict `changed`, `missing` */
  replace(stored: Stored<unknown>, value: T): Promise<Stored<T>>;
  upsert(partition: string, row: string, value: T): Promise<Stored<T>>;
  /** A document that is not there is deleted already. */
  delete(partition: string, row: string): Promise<void>;
  /**
   * Reads, decides, writes with If-Match, and again while others are faster (at most 20 times).
   * `change` answers undefined to leave the document as it is.
   */
  update(
    partition: string,
    row: string,
    change: (current: T | undefined) => T | undefined,
  ): Promise<T | undefined>;
}

export function documents<T>(tables: Tables, table: string, schema: z.ZodType<T>): Documents<T> {
  const write = async (partition: string, change: Write, value: T): Promise<Stored<T>> => {
    const etags = await tables.commit(table, partition, [change]);
    return { partition, row: change.row, etag: etags.get(change.row) ?? '', value };
  };
  const store: Documents<T> = {
    async get(partition, row) {
      const found = await tables.read(table, partition, row);
      return found && { partition, row, etag: found.etag, value: documentOf(schema, found.values) };
    },
    async *list(range) {
      for await (const found of tables.list(table, range))
        yield {
          partition: found.partition,
          row: found.row,
          etag: found.etag,
          value: documentOf(schema, found.values),
        };
    },
    insert: (partition, row, value) =>
      write(partition, { kind: 'insert', row, values: documentValues(value) }, value),
    replace: ({ partition, row, etag }, value) =>
      write(partition, { kind: 'replace', row, values: documentValues(value), etag }, value),
    upsert: (partition, row, value) =>
      write(partition, { kind: 'upsert', row, values: documentValues(value) }, value),
    async delete(partition, row) {
      try {
        await tables.commit(table, partition, [{ kind: 'delete', row }]);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
    async update(partition, row, change) {
      for (let attempt = 1; ; attempt += 1) {
        const current = await store.get(partition, row);
        const next = change(current?.value);
        if (next === undefined) return current?.value;
        try {
          if (current === undefined) await store.insert(partition, row, next);
          else await store.replace(current, next);
          return next;
        } catch (error) {
          if (!(error instanceof Conflict) || attempt === 20) throw error;
        }
      }
    },
  };
  return store;
}
