import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { Blobs } from '../state/blobs.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import type { Activity, Origin } from './activity.ts';
import { isFresh, keepContent, putManifest } from './content.ts';
import { RegistryError } from './errors.ts';
import { refuseIfImmutable, tagTaken } from './immutable.ts';
import { inParallel } from './in-parallel.ts';
import { keepLink } from './links.ts';
import type { ManifestFacts } from './manifest.ts';
import type { Policies } from './policy/policy-store.ts';
import { nextCounter } from './push-event.ts';
import { admit } from './quota/admit.ts';
import type { Left, Recorder } from './record.ts';
import { referrerWrite } from './referrers.ts';
import {
  beginPush,
  findManifest,
  findTag,
  type ManifestEntry,
  manifestRow,
  partitionOf,
  REGISTRY,
  tagRow,
  valuesOf,
} from './repository.ts';
import { type Pause, untilUncontended } from './retrying.ts';

/** Content that is looked up at once. */
const WIDTH = 16;

export interface ManifestPush {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** None for a push by digest alone. */
  readonly tags: readonly Tag[];
  readonly bytes: Uint8Array;
  readonly facts: ManifestFacts;
  readonly origin: Origin;
  /** A copy of another registry's: what it names comes when it is asked for. */
  readonly mirrored?: boolean;
  /** Whether a tag that points to something else is moved; absent: yes. */
  readonly movesTags?: boolean;
  /** Further writes of the same transaction. */
  readonly also?: readonly Write[];
}

interface PushParts {
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly policies: Policies;
  readonly recorder: Recorder;
  readonly now: () => Date;
  readonly pause?: Pause | undefined;
}

/**
 * Stores a manifest, and in one transaction makes it part of the repository, moves its tags, records what it refers to
 * and leaves the push's trail.
 * @returns what is to be passed on: see `passOn`
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN if something that it names is not in the repository; DENIED if a tag may not
 *   be moved, or the repository's quota has no room
 */
export async function pushManifest(parts: PushParts, push: ManifestPush): Promise<Left> {
  const { blobs, tables, policies, recorder, now } = parts;
  const {
    repository,
    digest,
    tags,
    bytes,
    facts,
    origin,
    mirrored = false,
    also = [],
    movesTags = true,
  } = push;
  const named = mirrored ? sizeOf(facts) : await checkNamed(parts, repository, facts);
  const imageSize = bytes.length + named;
  const size = bytes.length;
  const { mediaType, subject } = facts;

  /** What the manifest itself and its tags change; decided anew for each attempt. */
  const plan = async (at: Date): Promise<{ writes: Write[]; activities: Activity[] }> => {
    const policy = await policies.of(repository);
    const pushedAt = at.toISOString();
    const entry = {
      digest,
      mediaType,
      size,
      imageSize,
      pushedAt,
      ...(subject === undefined ? {} : { subject }),
      ...(mirrored ? { mirrored } : {}),
      // The parts of an index come by digest, before it.
      ...(tags.length === 0 && subject === undefined ? { keptAt: pushedAt } : {}),
    };
    const row = manifestRow(digest);
    const known = policy.quota === undefined ? undefined : await findManifest(tables, repository, digest);
    const writes: Write[] = [
      policy.quota === undefined
        ? { kind: 'upsert', row, values: valuesOf(entry) }
        : known === undefined
          ? { kind: 'insert', row, values: valuesOf(entry) }
          : { kind: 'replace', row, values: valuesOf(entry), etag: known.etag },
      ...(known === undefined ? await admit(parts, repository, size) : []),
    ];
    if (subject !== undefined) writes.push(referrerWrite(facts, subject, digest, size));
    const done: Activity = { action: 'push', digest, mediaType, size, subject, origin, at };
    const activities: Activity[] = tags.length === 0 ? [done] : [];
    for (const tag of tags) {
      const before = await findTag(tables, repository, tag);
      if (before !== undefined && before.digest !== digest) {
        if (!movesTags) throw tagTaken(repository, tag, before.digest);
        refuseIfImmutable(policy, repository, before, 'push under another tag');
      }
      const counter = nextCounter(before?.counter, at);
      const values = valuesOf({ tag, digest, mediaType, size, imageSize, counter, pushedAt });
      writes.push(
        before === undefined
          ? { kind: 'insert', row: tagRow(tag), values }
          : { kind: 'replace', row: tagRow(tag), values, etag: before.etag },
      );
      activities.push({ ...done, tag, counter });
    }
    return { writes, activities };
  };

  // What is refused leaves nothing behind, not even the repository's name.
  let planned: Awaited<ReturnType<typeof plan>> | undefined = await plan(now());
  await Promise.all([putManifest(blobs, digest, bytes), beginPush(tables, repository, now())]);
  return untilUncontended(async () => {
    const { writes, activities } = planned ?? (await plan(now()));
    planned = undefined;
    const trail = await recorder.leave(repository, activities);
    await tables.commit(REGISTRY, partitionOf(repository), [...writes, ...also, ...trail.writes]);
    return trail.left;
  }, parts.pause);
}

/**
 * Finds a manifest that an index is about to name, and makes sure that retention, which takes manifests that nothing names,
 * sees that.
 */
async function keepManifest(
  tables: Tables,
  repository: RepositoryName,
  digest: Digest,
  now: Date,
): Promise<ManifestEntry | undefined> {
  for (;;) {
    const found = await findManifest(tables, repository, digest);
    if (found === undefined) return undefined;
    const { etag, ...entry } = found;
    if (entry.keptAt !== undefined && isFresh(Date.parse(entry.keptAt), now)) return entry;
    const values = valuesOf({ ...entry, keptAt: now.toISOString() });
    try {
      await tables.commit(REGISTRY, partitionOf(repository), [
        { kind: 'replace', row: manifestRow(digest), values, etag },
      ]);
      return entry;
    } catch (error) {
      // Pushed again, or deleted: look again.
      if (!(error instanceof Conflict)) throw error;
    }
  }
}

/** Bytes of what a manifest names, as it says: for an index those of the manifests alone. */
const sizeOf = ({ blobs, manifests }: ManifestFacts): number =>
  [...new Map([...blobs, ...manifests].map(({ digest, size }) => [digest, size])).values()].reduce(
    (total, size) => total + size,
    0,
  );

/**
 * Everything the manifest names is in the repository and stays: its size, bytes.
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN with the digests that are missing
 */
async function checkNamed(
  { blobs, tables, now }: Pick<PushParts, 'blobs' | 'tables' | 'now'>,
  repository: RepositoryName,
  facts: ManifestFacts,
): Promise<number> {
  const missing: Digest[] = [];
  let size = 0;
  const named = [...new Map(facts.blobs.map((blob) => [blob.digest, blob])).values()];
  await inParallel(named, WIDTH, async ({ digest }) => {
    const [linked, content] = await Promise.all([
      keepLink(tables, repository, digest, now()),
      keepContent(blobs, digest, now()),
    ]);
    if (!linked || content === undefined) missing.push(digest);
    else size += content.size;
  });
  await inParallel(facts.manifests, WIDTH, async ({ digest }) => {
    const manifest = await keepManifest(tables, repository, digest, now());
    if (manifest === undefined) missing.push(digest);
    else size += manifest.imageSize;
  });
  if (missing.length > 0)
    throw new RegistryError(
      'MANIFEST_BLOB_UNKNOWN',
      `the manifest names what is not in ${repository}: ${missing.join(', ')}; push that first`,
      { detail: missing.map((digest) => ({ digest })) },
    );
  return size;
}
