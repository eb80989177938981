import { setTimeout } from 'node:timers/promises';
import type { Digest, RepositoryName, Tag } from '../model/image.ts';
import type { Blobs } from '../state/blobs.ts';
import { Conflict, type Tables, type Write } from '../state/tables.ts';
import type { Activity, Origin } from './activity.ts';
import { keepContent, putManifest } from './content.ts';
import { RegistryError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import type { ManifestFacts } from './manifest.ts';
import { nextCounter } from './push-event.ts';
import type { Left, Recorder } from './record.ts';
import { referrerWrite } from './referrers.ts';
import {
  beginPush,
  findManifest,
  findTag,
  hasBlob,
  manifestRow,
  partitionOf,
  REGISTRY,
  tagRow,
  valuesOf,
} from './repository.ts';

/** How often a push tries again while others push the same tag. */
const ATTEMPTS = 20;
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
}

/**
 * Stores a manifest, and in one transaction makes it part of the repository, moves its tags, records what it refers to
 * and leaves the push's trail.
 * @returns what is to be passed on: see `passOn`
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN if something that it names is not in the repository
 */
export async function pushManifest(
  {
    blobs,
    tables,
    recorder,
    now,
  }: {
    readonly blobs: Blobs;
    readonly tables: Tables;
    readonly recorder: Recorder;
    readonly now: () => Date;
  },
  { repository, digest, tags, bytes, facts, origin }: ManifestPush,
): Promise<Left> {
  const imageSize = bytes.length + (await checkNamed({ blobs, tables, now }, repository, facts));
  await putManifest(blobs, digest, bytes);
  await beginPush(tables, repository, now());

  const size = bytes.length;
  const { mediaType, subject } = facts;
  for (let attempt = 1; ; attempt += 1) {
    const at = now();
    const pushedAt = at.toISOString();
    const entry = {
      digest,
      mediaType,
      size,
      imageSize,
      pushedAt,
      ...(subject === undefined ? {} : { subject }),
    };
    const writes: Write[] = [{ kind: 'upsert', row: manifestRow(digest), values: valuesOf(entry) }];
    if (subject !== undefined) writes.push(referrerWrite(facts, subject, digest, size));
    const done: Activity = { action: 'push', digest, mediaType, size, subject, origin, at };
    const activities: Activity[] = tags.length === 0 ? [done] : [];
    for (const tag of tags) {
      const before = await findTag(tables, repository, tag);
      const counter = nextCounter(before?.counter, at);
      const values = valuesOf({ tag, digest, mediaType, size, imageSize, counter, pushedAt });
      writes.push(
        before === undefined
          ? { kind: 'insert', row: tagRow(tag), values }
          : { kind: 'replace', row: tagRow(tag), values, etag: before.etag },
      );
      activities.push({ ...done, tag, counter });
    }
    const trail = await recorder.leave(repository, activities);
    try {
      await tables.commit(REGISTRY, partitionOf(repository), [...writes, ...trail.writes]);
      return trail.left;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === ATTEMPTS) throw error;
      await setTimeout(Math.random() * 25 * attempt);
    }
  }
}

/**
 * Everything the manifest names is in the repository and stays: its size, bytes.
 * @throws RegistryError MANIFEST_BLOB_UNKNOWN with the digests that are missing
 */
async function checkNamed(
  { blobs, tables, now }: { readonly blobs: Blobs; readonly tables: Tables; readonly now: () => Date },
  repository: RepositoryName,
  facts: ManifestFacts,
): Promise<number> {
  const missing: Digest[] = [];
  let size = 0;
  const named = [...new Map(facts.blobs.map((blob) => [blob.digest, blob])).values()];
  await inParallel(named, WIDTH, async ({ digest }) => {
    const [linked, content] = await Promise.all([
      hasBlob(tables, repository, digest),
      keepContent(blobs, digest, now()),
    ]);
    if (!linked || content === undefined) missing.push(digest);
    else size += content.size;
  });
  await inParallel(facts.manifests, WIDTH, async ({ digest }) => {
    const manifest = await findManifest(tables, repository, digest);
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
