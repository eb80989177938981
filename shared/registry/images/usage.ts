import type { Digest, RepositoryName } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import { readManifest } from '../content.ts';
import { inParallel } from '../in-parallel.ts';
import { BlobEntry } from '../links.ts';
import { parseManifest } from '../manifest.ts';
import { listRepositories, ManifestEntry, REGISTRY, rowsOf } from '../repository.ts';

/** Manifests that are read at once. */
const WIDTH = 16;

/** Bytes of one repository, each digest counted once in it. */
export interface RepositoryUsage {
  readonly repository: RepositoryName;
  /** In no other repository that was looked at. */
  readonly own: number;
  /** In others too: they would stay if this repository went. */
  readonly shared: number;
  /** Part of `own` or `shared` that no manifest of this repository names: an upload before its manifest, or left over. */
  readonly garbage: number;
  readonly manifests: number;
  readonly blobs: number;
}

export interface Usage {
  readonly repositories: readonly RepositoryUsage[];
  /** Bytes of all that was looked at, each digest once: what storage holds. */
  readonly total: number;
}

interface Held {
  readonly manifests: readonly ManifestEntry[];
  /** Digest and bytes of blobs that are part of the repository. */
  readonly blobs: ReadonlyMap<Digest, number>;
}

/**
 * @param may repositories that the caller may see: others are not counted, so their content cannot be guessed from sharing
 * @param only the repositories to report on; sharing is found over all that may be seen
 */
export async function usage(
  { tables, blobs }: { readonly tables: Tables; readonly blobs: Blobs },
  may: (repository: RepositoryName) => boolean,
  only?: RepositoryName,
): Promise<Usage> {
  const held = new Map<RepositoryName, Held>();
  for await (const { name } of listRepositories(tables))
    if (may(name)) held.set(name, await read(tables, name));

  /** In how many repositories each digest is, and its bytes. */
  const homes = new Map<Digest, { count: number; readonly size: number }>();
  for (const repository of held.values())
    for (const [digest, size] of sizesOf(repository)) {
      const home = homes.get(digest) ?? { count: 0, size };
      home.count += 1;
      homes.set(digest, home);
    }

  const repositories: RepositoryUsage[] = [];
  for (const [repository, content] of held) {
    if (only !== undefined && repository !== only) continue;
    const named = await namedBy(blobs, content.manifests);
    let own = 0;
    let shared = 0;
    let garbage = 0;
    for (const [digest, size] of sizesOf(content)) {
      if (homes.get(digest)?.count === 1) own += size;
      else shared += size;
      if (content.blobs.has(digest) && !named.has(digest)) garbage += size;
    }
    const counts = { manifests: content.manifests.length, blobs: content.blobs.size };
    repositories.push({ repository, own, shared, garbage, ...counts });
  }
  const total =
    only === undefined
      ? [...homes.values()].reduce((sum, { size }) => sum + size, 0)
      : repositories.reduce((sum, { own, shared }) => sum + own + shared, 0);
  return { repositories, total };
}

async function read(tables: Tables, repository: RepositoryName): Promise<Held> {
  const manifests: ManifestEntry[] = [];
  const blobs = new Map<Digest, number>();
  for await (const { values } of tables.list(REGISTRY, rowsOf(repository, 'm!')))
    manifests.push(ManifestEntry.parse(values));
  for await (const { values } of tables.list(REGISTRY, rowsOf(repository, 'b!'))) {
    const { digest, size } = BlobEntry.parse(values);
    blobs.set(digest, size);
  }
  return { manifests, blobs };
}

function sizesOf({ manifests, blobs }: Held): ReadonlyMap<Digest, number> {
  return new Map([...manifests.map(({ digest, size }) => [digest, size] as const), ...blobs]);
}

/** Blobs that these manifests name. */
async function namedBy(blobs: Blobs, manifests: readonly ManifestEntry[]): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  await inParallel(manifests, WIDTH, async ({ digest, mediaType }) => {
    const bytes = await readManifest(blobs, digest);
    if (bytes === undefined) return;
    for (const blob of parseManifest(bytes, mediaType).blobs) named.add(blob.digest);
  });
  return named;
}
