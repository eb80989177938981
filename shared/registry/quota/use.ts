import { z } from 'zod';
import type { RepositoryName } from '../../model/image.ts';
import type { Tables, Write } from '../../state/tables.ts';
import { partitionOf, REGISTRY, rowsOf } from '../repository.ts';

const ROW = 'u!';
/** Processes may not know of a changed policy for some seconds, and a request goes on for a while. Milliseconds. */
const UNSETTLED_MS = 2 * 60 * 1000;
const DAY = 24 * 3600 * 1000;

const Sum = z.object({
  /** Negative: forgotten. */
  bytes: z.number(),
  /** When the rows were added up, as RFC 3339. */
  countedAt: z.string(),
});

/** Bytes that a repository holds, and how a transaction that changes them says so. */
export interface Use {
  readonly bytes: number;
  /** For the transaction that makes it `bytes`. */
  write(bytes: number): Write;
}

/** @param changedAt when policies changed last */
export async function readUse(
  tables: Tables,
  repository: RepositoryName,
  { now, changedAt }: { readonly now: Date; readonly changedAt: Date },
): Promise<Use> {
  const row = await tables.read(REGISTRY, partitionOf(repository), ROW);
  const sum = row && Sum.parse(row.values);
  const countedAt = sum === undefined ? 0 : Date.parse(sum.countedAt);
  const isSum =
    sum !== undefined &&
    sum.bytes >= 0 &&
    countedAt > changedAt.getTime() + UNSETTLED_MS &&
    now.getTime() - countedAt < DAY;
  const next = isSum ? sum : { bytes: await countUse(tables, repository), countedAt: now.toISOString() };
  return {
    bytes: next.bytes,
    write(bytes) {
      const values = { bytes, countedAt: next.countedAt };
      return row === undefined
        ? { kind: 'insert', row: ROW, values }
        : { kind: 'replace', row: ROW, values, etag: row.etag };
    },
  };
}

/** Adds the rows up: a request for a thousand of them. */
export async function countUse(tables: Tables, repository: RepositoryName): Promise<number> {
  let bytes = 0;
  for (const prefix of ['b!', 'm!'])
    for await (const { values } of tables.list(REGISTRY, rowsOf(repository, prefix)))
      bytes += Number(values['size'] ?? 0);
  return bytes;
}

/** Part of every transaction that takes blobs or manifests away. */
export const forgetUse = (): Write => ({
  kind: 'upsert',
  row: ROW,
  values: { bytes: -1, countedAt: new Date(0).toISOString() },
});
