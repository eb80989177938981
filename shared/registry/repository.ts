import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../model/image.ts';
import { tableKey } from '../state/key.ts';
import { Conflict, type Range, type Row, type Tables, type Values } from '../state/tables.ts';

/** Table of all repositories' contents: what one repository holds lies in one partition, so that it changes together. */
export const REGISTRY = 'registry';
export const partitionOf = (repository: RepositoryName): string => tableKey(repository);

export const tagRow = (tag: Tag): string => `t!${tag}`;
export const manifestRow = (digest: Digest): string => `m!${digest}`;
export const blobRow = (digest: Digest): string => `b!${digest}`;
export const referrerRow = (subject: Digest, digest: Digest): string => `r!${subject}!${digest}`;
/** Rows whose key begins so. `"` is the character after `!`, `~` sorts after all that keys of ours hold. */
export const rowsOf = (repository: RepositoryName, prefix: string): Range => ({
  partition: partitionOf(repository),
  from: prefix,
  to: `${prefix}~`,
});

/** Row `t!<tag>`. */
export const TagEntry = z.object({
  tag: Tag,
  digest: Digest,
  mediaType: z.string(),
  /** Bytes of the manifest itself. */
  size: z.number(),
  /** Bytes of the manifest and all that it names. */
  imageSize: z.number(),
  /** Grows with each push of the tag, over its deletion too: see `nextCounter`. */
  counter: z.number(),
  pushedAt: z.string(),
});
export type TagEntry = z.infer<typeof TagEntry>;

/** Row `m!<digest>`. */
export const ManifestEntry = z.object({
  digest: Digest,
  mediaType: z.string(),
  size: z.number(),
  imageSize: z.number(),
  subject: Digest.optional(),
  pushedAt: z.string(),
  /** When an index relied on it last, or may have been about to, as RFC 3339, give or take twelve hours. */
  keptAt: z.string().optional(),
  /** Copied from another registry: what it names may not be here yet. */
  mirrored: z.boolean().optional(),
});
export type ManifestEntry = z.infer<typeof ManifestEntry>;

/** A row's values without what is undefined, as a table takes them. */
export const valuesOf = (entry: TagEntry | ManifestEntry): Values =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as Values;

export async function findTag(
  tables: Tables,
  repository: RepositoryName,
  tag: Tag,
): Promise<(TagEntry & { etag: string }) | undefined> {
  const row = await tables.read(REGISTRY, partitionOf(repository), tagRow(tag));
  return row && { ...TagEntry.parse(row.values), etag: row.etag };
}

export async function findManifest(
  tables: Tables,
  repository: RepositoryName,
  digest: Digest,
): Promise<(ManifestEntry & { etag: string }) | undefined> {
  const row = await tables.read(REGISTRY, partitionOf(repository), manifestRow(digest));
  return row && { ...ManifestEntry.parse(row.values), etag: row.etag };
}

/** Tags in the order of their bytes, after `last`. */
export async function* listTags(
  tables: Tables,
  repository: RepositoryName,
  last?: string,
): AsyncIterable<TagEntry & { etag: string }> {
  const range = rowsOf(repository, 't!');
  for await (const row of tables.list(
    REGISTRY,
    last === undefined ? range : { ...range, from: `t!${tableKey(last)}` },
  ))
    if (row.row !== `t!${last}`) yield { ...TagEntry.parse(row.values), etag: row.etag };
}

const REPOSITORIES = 'repositories';
const ALL = 'repository';

/** One row of table `repositories`. */
const RepositoryEntry = z.object({
  name: RepositoryName,
  /** When the last push began, as RFC 3339. */
  pushedAt: z.string(),
  /** When something was last done here that subscriptions hear of, as RFC 3339, give or take `MARKED_MS`. */
  heardAt: z.string().optional(),
  /** Something was done that others hear of, and nobody has yet seen that all of it was passed on. */
  unsettled: z.boolean(),
});
export type RepositoryEntry = z.infer<typeof RepositoryEntry> & { etag: string };

const repositoryOf = (row: Row): RepositoryEntry => ({
  ...RepositoryEntry.parse(row.values),
  etag: row.etag,
});

/** Written before a push's transaction: whoever looks for events that were left behind finds the repository by it. */
export async function beginPush(tables: Tables, name: RepositoryName, now: Date): Promise<void> {
  const values = { name, pushedAt: now.toISOString(), heardAt: now.toISOString(), unsettled: true };
  await tables.commit(REPOSITORIES, ALL, [{ kind: 'upsert', row: tableKey(name), values }]);
}

/** How long a mark is good for: well within the time after which a repository may be settled. */
const MARKED_MS = 5 * 60 * 1000;

/**
 * Marks repositories in which something was done, other than a push, that subscriptions hear of. To be called before the
 * transaction that does it; this process remembers for a while which it has marked.
 */
export function markHeard(tables: Tables, now: () => Date): (name: RepositoryName) => Promise<void> {
  const marked = new Map<RepositoryName, number>();
  return async (name) => {
    const at = now().getTime();
    if (at - (marked.get(name) ?? Number.NEGATIVE_INFINITY) < MARKED_MS) return;
    for (let attempt = 1; ; attempt += 1) {
      const row = await tables.read(REPOSITORIES, ALL, tableKey(name));
      const heardAt = new Date(at).toISOString();
      const { etag, ...entry } = row ? repositoryOf(row) : { name, pushedAt: heardAt, etag: undefined };
      const values = { ...entry, heardAt, unsettled: true };
      const change = { row: tableKey(name), values };
      try {
        await tables.commit(REPOSITORIES, ALL, [
          etag === undefined ? { kind: 'insert', ...change } : { kind: 'replace', ...change, etag },
        ]);
        break;
      } catch (error) {
        if (!(error instanceof Conflict) || attempt === 20) throw error;
      }
    }
    // What was marked long ago would be marked again in any case.
    if (marked.size > 10_000) marked.clear();
    marked.set(name, at);
  };
}

/** @throws Conflict if a push began since `entry` was read */
export async function settle(tables: Tables, entry: RepositoryEntry): Promise<void> {
  const { etag, name, pushedAt, heardAt = pushedAt } = entry;
  const values = { name, pushedAt, heardAt, unsettled: false };
  await tables.commit(REPOSITORIES, ALL, [{ kind: 'replace', row: tableKey(entry.name), values, etag }]);
}

export async function hasRepository(tables: Tables, name: RepositoryName): Promise<boolean> {
  return (await tables.read(REPOSITORIES, ALL, tableKey(name))) !== undefined;
}

export async function* listRepositories(tables: Tables, last?: string): AsyncIterable<RepositoryEntry> {
  const range = { partition: ALL, ...(last === undefined ? {} : { from: tableKey(last) }) };
  for await (const row of tables.list(REPOSITORIES, range)) {
    const entry = repositoryOf(row);
    if (entry.name !== last) yield entry;
  }
}
