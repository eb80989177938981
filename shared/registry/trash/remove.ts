import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { Conflict, type Write } from '../../state/tables.ts';
import type { Activity, Origin } from '../activity.ts';
import type { RegistryDeps } from '../call.ts';
import { refuseIfImmutable } from '../immutable.ts';
import { passOn } from '../pass-on.ts';
import { forgetUse } from '../quota/use.ts';
import {
  findManifest,
  findTag,
  listTags,
  type ManifestEntry,
  manifestRow,
  partitionOf,
  REGISTRY,
  referrerRow,
  type TagEntry,
  tagRow,
} from '../repository.ts';
import { type Deletion, deletedManifestWrite, deletedTagWrite } from './entries.ts';

/** What helps where a tag is to go that stays. */
const CHANGE = 'change the policy first: berth registry policy';

/** Tags that go in one transaction: three rows each, of the hundred that it may have. */
const TAGS = 15;

type RemoveParts = Pick<RegistryDeps, 'tables' | 'policies' | 'recorder' | 'now' | 'onActivity' | 'report'>;

/** Who removes, and what must still be so. */
export interface Removal {
  readonly origin: Origin;
  /** Remove the row only at this version; absent: whatever it is. */
  readonly etag?: string;
}

/**
 * Deletes a tag; what it pointed to stays.
 * @returns false if it is not there, or no longer at that version
 * @throws RegistryError DENIED if it is immutable
 */
export async function removeTag(
  parts: RemoveParts,
  repository: RepositoryName,
  tag: Tag,
  { origin, etag }: Removal,
): Promise<boolean> {
  for (;;) {
    const entry = await findTag(parts.tables, repository, tag);
    if (entry === undefined || (etag !== undefined && entry.etag !== etag)) return false;
    refuseIfImmutable(await parts.policies.of(repository), repository, entry, CHANGE);
    const deletion = await deletionOf(parts, repository, origin);
    if (await commit(parts, repository, origin, tagWrites([entry], deletion), [entry])) return true;
  }
}

/**
 * Deletes a manifest with its tags: all in one transaction, unless there are many tags. If it is pushed or tagged meanwhile, it
 * looks again.
 * @returns false if it is not there, or no longer at that version
 * @throws RegistryError DENIED if one of its tags is immutable: then nothing is deleted
 */
export async function removeManifest(
  parts: RemoveParts,
  repository: RepositoryName,
  digest: Digest,
  { origin, etag }: Removal,
): Promise<boolean> {
  const { tables } = parts;
  for (;;) {
    const manifest = await findManifest(tables, repository, digest);
    if (manifest === undefined || (etag !== undefined && manifest.etag !== etag)) return false;
    const policy = await parts.policies.of(repository);
    const tags: (TagEntry & { etag: string })[] = [];
    for await (const entry of listTags(tables, repository)) {
      if (entry.digest !== digest) continue;
      refuseIfImmutable(policy, repository, entry, CHANGE);
      tags.push(entry);
    }
    const deletion = await deletionOf(parts, repository, origin);
    let isFresh = true;
    while (isFresh && tags.length > TAGS) {
      const some = tags.splice(0, TAGS);
      isFresh = await commit(parts, repository, origin, tagWrites(some, deletion), some);
    }
    if (!isFresh) continue;
    const writes = [
      ...tagWrites(tags, deletion),
      ...(await manifestWrites(parts, repository, manifest, deletion)),
    ];
    if (await commit(parts, repository, origin, writes, [...tags, manifest])) return true;
  }
}

/** Undefined where what is deleted cannot be restored. */
async function deletionOf(
  { policies, now }: RemoveParts,
  repository: RepositoryName,
  { actor }: Origin,
): Promise<Deletion | undefined> {
  const { restorableForDays } = await policies.of(repository);
  if (restorableForDays === 0) return undefined;
  const at = now();
  return {
    deletedAt: at.toISOString(),
    deletedBy: actor,
    restorableUntil: new Date(at.getTime() + restorableForDays * 24 * 3600 * 1000).toISOString(),
  };
}

const tagWrites = (
  entries: readonly (TagEntry & { readonly etag: string })[],
  deletion: Deletion | undefined,
): Write[] =>
  entries.flatMap(({ etag, ...entry }): Write[] => [
    { kind: 'delete', row: tagRow(entry.tag), etag },
    ...(deletion === undefined ? [] : [deletedTagWrite(entry, deletion)]),
  ]);

async function manifestWrites(
  { tables }: RemoveParts,
  repository: RepositoryName,
  { etag, ...entry }: ManifestEntry & { readonly etag: string },
  deletion: Deletion | undefined,
): Promise<Write[]> {
  const referrer =
    entry.subject === undefined
      ? undefined
      : await tables.read(REGISTRY, partitionOf(repository), referrerRow(entry.subject, entry.digest));
  return [
    { kind: 'delete', row: manifestRow(entry.digest), etag },
    ...(referrer === undefined
      ? []
      : [{ kind: 'delete', row: referrer.row, etag: referrer.etag } satisfies Write]),
    forgetUse(),
    ...(deletion === undefined ? [] : [deletedManifestWrite(entry, deletion)]),
  ];
}

/** @returns false if a row changed since it was read */
async function commit(
  parts: RemoveParts,
  repository: RepositoryName,
  origin: Origin,
  writes: readonly Write[],
  entries: readonly (TagEntry | ManifestEntry)[],
): Promise<boolean> {
  const activities = entries.map(
    (entry): Activity => ({
      action: 'delete',
      tag: 'tag' in entry ? entry.tag : undefined,
      digest: entry.digest,
      mediaType: entry.mediaType,
      size: entry.size,
      origin,
      at: parts.now(),
    }),
  );
  const trail = await parts.recorder.leave(repository, activities);
  try {
    await parts.tables.commit(REGISTRY, partitionOf(repository), [...writes, ...trail.writes]);
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
  await passOn(parts, trail.left);
  return true;
}
