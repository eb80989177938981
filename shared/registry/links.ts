import { z } from 'zod';
import { Digest, type RepositoryName } from '../model/image.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import { isFresh } from './content.ts';
import { noteLinked } from './linked.ts';
import { admit, type QuotaParts } from './quota/admit.ts';
import { blobRow, partitionOf, REGISTRY } from './repository.ts';
import { type Pause, untilUncontended } from './retrying.ts';

/** Row `b!<digest>`: the blob may be read through this repository. */
export const BlobEntry = z.object({
  digest: Digest,
  size: z.number(),
  /** When somebody last relied on it, as RFC 3339, give or take twelve hours. */
  linkedAt: z.string().optional(),
});
export type BlobEntry = z.infer<typeof BlobEntry>;

/** Milliseconds; a link without a time is old. */
export const linkedAtOf = ({ linkedAt }: BlobEntry): number =>
  linkedAt === undefined ? 0 : Date.parse(linkedAt);

export async function findBlob(
  tables: Tables,
  repository: RepositoryName,
  digest: Digest,
): Promise<(BlobEntry & { readonly etag: string }) | undefined> {
  const row = await tables.read(REGISTRY, partitionOf(repository), blobRow(digest));
  return row && { ...BlobEntry.parse(row.values), etag: row.etag };
}

export const hasBlob = async (tables: Tables, repository: RepositoryName, digest: Digest): Promise<boolean> =>
  (await findBlob(tables, repository, digest)) !== undefined;

/**
 * Finds a blob of the repository that the caller is about to rely on, and makes sure that it stays one: a client skips an
 * upload, or a manifest names it. See `garbage/`.
 */
export async function keepLink(
  tables: Tables,
  repository: RepositoryName,
  digest: Digest,
  now: Date,
): Promise<boolean> {
  for (;;) {
    const link = await findBlob(tables, repository, digest);
    if (link === undefined) return false;
    if (isFresh(linkedAtOf(link), now)) return true;
    const values = { digest, size: link.size, linkedAt: now.toISOString() };
    try {
      await tables.commit(REGISTRY, partitionOf(repository), [
        { kind: 'replace', row: blobRow(digest), values, etag: link.etag },
      ]);
      return true;
    } catch (error) {
      // Touched by somebody else, or taken away: look again.
      if (!(error instanceof Conflict)) throw error;
    }
  }
}

/**
 * Makes a blob part of a repository.
 * @param trail what that leaves, in the same transaction
 * @throws RegistryError DENIED if the repository's quota has no room for it
 */
export async function linkBlob(
  parts: QuotaParts & { readonly pause?: Pause | undefined },
  repository: RepositoryName,
  digest: Digest,
  size: number,
  trail: readonly Write[] = [],
): Promise<void> {
  const { tables, policies, now } = parts;
  await noteLinked(tables, repository);
  await untilUncontended(async () => {
    const values = { digest, size, linkedAt: now().toISOString() };
    const row = blobRow(digest);
    const { quota } = await policies.of(repository);
    const before = quota === undefined ? undefined : await findBlob(tables, repository, digest);
    const link: Write =
      quota === undefined
        ? { kind: 'upsert', row, values }
        : before === undefined
          ? { kind: 'insert', row, values }
          : { kind: 'replace', row, values, etag: before.etag };
    const account = before === undefined ? await admit(parts, repository, size) : [];
    await tables.commit(REGISTRY, partitionOf(repository), [link, ...account, ...trail]);
  }, parts.pause);
}
