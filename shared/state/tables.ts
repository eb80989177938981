/** A value that a table stores as it is. Text: at most 32,000 characters. */
export type Value = string | number | boolean;
export type Values = Readonly<Record<string, Value>>;

export interface Row {
  readonly partition: string;
  readonly row: string;
  readonly etag: string;
  readonly values: Values;
}

/**
 * One row's change. With `etag` it applies only to the version that was read (If-Match). A delete of a row that is not
 * there is a conflict.
 */
export type Write =
  | { readonly kind: 'insert'; readonly row: string; readonly values: Values }
  | { readonly kind: 'replace'; readonly row: string; readonly values: Values; readonly etag: string }
  | { readonly kind: 'upsert'; readonly row: string; readonly values: Values }
  | { readonly kind: 'delete'; readonly row: string; readonly etag?: string };

export interface Range {
  readonly partition?: string;
  /** First row key, inclusive. */
  readonly from?: string;
  /** Row key after the last, exclusive. */
  readonly to?: string;
  /** Rows that are fetched at once, at most 1000: fewer where a reader may soon have enough. */
  readonly page?: number;
}

/**
 * Tables as Azure Table storage has them: rows by partition and row key, sorted by both, with an ETag each.
 * Keys hold no `/ \ # ?` and no control characters (`tableKey` makes any text one).
 * A table comes to be with its first write.
 */
export interface Tables {
  read(table: string, partition: string, row: string): Promise<Row | undefined>;
  /** Sorted by partition, then row key; snapshot of no moment in particular. */
  list(table: string, range: Range): AsyncIterable<Row>;
  /**
   * All of the writes or none; 1 to 100, each row once, all in one partition.
   * @returns the new ETag of each row written (not of those deleted)
   * @throws Conflict if a row exists (insert), has changed (replace, delete with etag) or is missing (replace, delete)
   */
  commit(table: string, partition: string, writes: readonly Write[]): Promise<ReadonlyMap<string, string>>;
}

/** @throws TypeError if the writes are no legal transaction, on every implementation alike. */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length === 0 || writes.length > 100)
    throw new TypeError(`a transaction has 1 to 100 writes, not ${writes.length}`);
  if (new Set(writes.map((write) => write.row)).size !== writes.length)
    throw new TypeError('a transaction names each row once');
}

/** A condition of a commit did not hold; nothing was written. Read again and decide anew. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly kind: 'exists' | 'changed' | 'missing';

  constructor(kind: 'exists' | 'changed' | 'missing', where: string) {
    super(`${where}: row ${kind}`);
    this.kind = kind;
  }
}
