import type { Digest, RepositoryName } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { readManifest } from '../content.ts';
import { parseManifest } from '../manifest.ts';
import { ManifestEntry, REGISTRY, rowsOf } from '../repository.ts';

/** Indexes of the repository that name a manifest, themselves or through another index. */
export async function indexesOf(
  { tables, blobs }: { readonly tables: Tables; readonly blobs: Blobs },
  repository: RepositoryName,
  digest: Digest,
): Promise<readonly Digest[]> {
  const children = new Map<Digest, readonly Digest[]>();
  for await (const { values } of tables.list(REGISTRY, rowsOf(repository, 'm!'))) {
    const entry = ManifestEntry.parse(values);
    if (!/index|list/.test(entry.mediaType)) continue;
    const bytes = await readManifest(blobs, entry.digest);
    if (bytes !== undefined)
      children.set(
        entry.digest,
        parseManifest(bytes, entry.mediaType).manifests.map((child) => child.digest),
      );
  }
  const found = new Set<Digest>([digest]);
  // Grows while it is walked.
  for (const child of found)
    for (const [index, named] of children) if (named.includes(child)) found.add(index);
  found.delete(digest);
  return [...found];
}
