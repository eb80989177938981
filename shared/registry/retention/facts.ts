import { z } from 'zod';
import { Digest, type RepositoryName } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { WIDTH } from '../care/step.ts';
import { readManifest } from '../content.ts';
import { inParallel } from '../in-parallel.ts';
import { listTags, ManifestEntry, REGISTRY, rowsOf, type TagEntry } from '../repository.ts';
import type { ManifestFact, TagFact } from './decide.ts';

type Read<T> = T & { readonly etag: string };

/** What retention decides on, and the versions that it saw. */
export interface Facts {
  readonly tags: readonly (TagFact & { readonly entry: Read<TagEntry> })[];
  readonly manifests: readonly (ManifestFact & { readonly entry: Read<ManifestEntry> })[];
}

const Index = z.looseObject({ manifests: z.array(z.object({ digest: Digest })).default([]) });

export async function readFacts(
  { blobs, tables }: { readonly blobs: Blobs; readonly tables: Tables },
  repository: RepositoryName,
): Promise<Facts> {
  const tags: Facts['tags'][number][] = [];
  for await (const entry of listTags(tables, repository))
    tags.push({ tag: entry.tag, digest: entry.digest, pushedAt: Date.parse(entry.pushedAt), entry });
  const entries: Read<ManifestEntry>[] = [];
  for await (const { values, etag } of tables.list(REGISTRY, rowsOf(repository, 'm!')))
    entries.push({ ...ManifestEntry.parse(values), etag });
  const manifests: Facts['manifests'][number][] = [];
  await inParallel(entries, WIDTH, async (entry) => {
    manifests.push({
      digest: entry.digest,
      pushedAt: Date.parse(entry.pushedAt),
      keptAt: entry.keptAt === undefined ? 0 : Date.parse(entry.keptAt),
      children: await childrenOf(blobs, entry),
      subject: entry.subject,
      entry,
    });
  });
  return { tags, manifests };
}

async function childrenOf(blobs: Blobs, { digest, mediaType }: ManifestEntry): Promise<readonly Digest[]> {
  if (!/\.image\.index\.|\.manifest\.list\./.test(mediaType)) return [];
  const bytes = await readManifest(blobs, digest);
  if (bytes === undefined) return [];
  return Index.parse(JSON.parse(new TextDecoder().decode(bytes))).manifests.map((child) => child.digest);
}
