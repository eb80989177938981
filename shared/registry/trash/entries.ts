import { z } from 'zod';
import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { documentOf, documentValues } from '../../state/documents.ts';
import type { Tables, Write } from '../../state/tables.ts';
import { ManifestEntry, REGISTRY, rowsOf, TagEntry } from '../repository.ts';

const deletion = {
  /** RFC 3339. Tags that went with their manifest have the same time as it. */
  deletedAt: z.string(),
  /** Principal's id, or `retention`. */
  deletedBy: z.string(),
  restorableUntil: z.string(),
};

/** Row `x!m!<digest>`. */
export const DeletedManifest = z.object({
  entry: ManifestEntry,
  digest: ManifestEntry.shape.digest,
  ...deletion,
});
export type DeletedManifest = z.infer<typeof DeletedManifest>;

/** Row `x!t!<tag>!…`. */
export const DeletedTag = z.object({ entry: TagEntry, ...deletion });
export type DeletedTag = z.infer<typeof DeletedTag>;

/** Who deleted it and when, and until when it can be restored. */
export type Deletion = Pick<DeletedTag, 'deletedAt' | 'deletedBy' | 'restorableUntil'>;

const LAST_MOMENT = 999_999_999_999_999;
export const deletedManifestRow = (digest: Digest): string => `x!m!${digest}`;
/** The newest comes first. A tag is deleted once in a millisecond. */
const deletedTagRow = (tag: Tag, at: string): string =>
  `x!t!${tag}!${String(LAST_MOMENT - Date.parse(at)).padStart(15, '0')}`;

/** Parts of the transaction that deletes. */
export const deletedManifestWrite = (entry: ManifestEntry, deletion: Deletion): Write => ({
  kind: 'upsert',
  row: deletedManifestRow(entry.digest),
  values: documentValues({ entry, digest: entry.digest, ...deletion } satisfies DeletedManifest),
});
export const deletedTagWrite = (entry: TagEntry, deletion: Deletion): Write => ({
  kind: 'upsert',
  row: deletedTagRow(entry.tag, deletion.deletedAt),
  values: documentValues({ entry, ...deletion } satisfies DeletedTag),
});

/** A row that was read. */
export type Kept<T> = T & { readonly row: string; readonly etag: string };

export async function* listDeletedManifests(
  tables: Tables,
  repository: RepositoryName,
): AsyncIterable<Kept<DeletedManifest>> {
  for await (const { row, etag, values } of tables.list(REGISTRY, rowsOf(repository, 'x!m!')))
    yield { ...documentOf(DeletedManifest, values), row, etag };
}

/** Deleted tags by name, of each the newest deletion first. */
export async function* listDeletedTags(
  tables: Tables,
  repository: RepositoryName,
  tag?: Tag,
): AsyncIterable<Kept<DeletedTag>> {
  const prefix = tag === undefined ? 'x!t!' : `x!t!${tag}!`;
  for await (const { row, etag, values } of tables.list(REGISTRY, rowsOf(repository, prefix)))
    yield { ...documentOf(DeletedTag, values), row, etag };
}
