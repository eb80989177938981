import { Terminal } from '../../model/errors.ts';
import type { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { documentOf } from '../../state/documents.ts';
import type { Write } from '../../state/tables.ts';
import type { Origin } from '../activity.ts';
import type { RegistryDeps } from '../call.ts';
import { keepContent, readManifest } from '../content.ts';
import { tagTaken } from '../immutable.ts';
import { keepLink, linkBlob } from '../links.ts';
import { type ManifestFacts, parseManifest } from '../manifest.ts';
import { passOn } from '../pass-on.ts';
import { pushManifest } from '../push-manifest.ts';
import { findManifest, findTag, type ManifestEntry, partitionOf, REGISTRY } from '../repository.ts';
import {
  DeletedManifest,
  type DeletedTag,
  deletedManifestRow,
  type Kept,
  listDeletedManifests,
  listDeletedTags,
} from './entries.ts';

/** Tags that one transaction brings back. */
const TAGS = 4;

type RestoreParts = Pick<
  RegistryDeps,
  'blobs' | 'tables' | 'policies' | 'recorder' | 'now' | 'onActivity' | 'report' | 'pause'
>;

export interface Restoring {
  readonly repository: RepositoryName;
  readonly origin: Origin;
  /** Also tags that point to something else by now. */
  readonly force: boolean;
}

export interface Restored {
  readonly manifests: Digest[];
  readonly tags: Tag[];
  /** Tags that were deleted with them and point to something else by now: those stay. */
  readonly taken: Tag[];
}

/**
 * Brings back what a tag pointed to when it was deleted last, and the tag. It is a push: whoever waits for the tag hears of it.
 * @throws Terminal 404 `nothing-to-restore`, 409 `tag-taken`, 410 `content-gone`; RegistryError as a push does
 */
export async function restoreTag(parts: RestoreParts, restoring: Restoring, tag: Tag): Promise<Restored> {
  const { repository, force } = restoring;
  const deleted = await newestOf(parts, repository, tag);
  if (deleted === undefined) throw nothing(`${repository}:${tag}`);
  const now = await findTag(parts.tables, repository, tag);
  if (now !== undefined && now.digest !== deleted.entry.digest && !force)
    throw tagTaken(repository, tag, now.digest);
  const restored: Restored = { manifests: [], tags: [], taken: [] };
  const { digest } = deleted.entry;
  const there = await findManifest(parts.tables, repository, digest);
  if (there === undefined) await bringBack(parts, restoring, digest, restored, deleted);
  else await push(parts, restoring, there, [deleted], [], restored);
  return restored;
}

/**
 * Brings back a manifest with the tags that were deleted together with it, the manifests that it names, and those that refer to
 * it: its signatures.
 * @throws as restoreTag
 */
export async function restoreManifest(
  parts: RestoreParts,
  restoring: Restoring,
  digest: Digest,
): Promise<Restored> {
  const restored: Restored = { manifests: [], tags: [], taken: [] };
  await bringBack(parts, restoring, digest, restored);
  return restored;
}

async function bringBack(
  parts: RestoreParts,
  restoring: Restoring,
  digest: Digest,
  restored: Restored,
  asked?: Kept<DeletedTag>,
): Promise<void> {
  const { repository } = restoring;
  const deleted = await deletedManifest(parts, repository, digest);
  if (deleted === undefined) throw nothing(`${repository}@${digest}`);
  const tags = asked === undefined ? [] : [asked];
  for await (const tag of listDeletedTags(parts.tables, repository))
    if (tag.entry.digest === digest && tag.deletedAt === deleted.deletedAt && tag.row !== asked?.row)
      tags.push(tag);
  const also: Write[] = [{ kind: 'delete', row: deleted.row, etag: deleted.etag }];
  await push(parts, restoring, deleted.entry, tags, also, restored);
  restored.manifests.push(digest);
  for await (const other of listDeletedManifests(parts.tables, repository))
    if (other.entry.subject === digest && isRestorable(parts, other))
      await bringBack(parts, restoring, other.digest, restored);
}

/** Pushes the manifest's own bytes again, with these tags, after what it names is there. */
async function push(
  parts: RestoreParts,
  restoring: Restoring,
  entry: ManifestEntry,
  tags: readonly Kept<DeletedTag>[],
  also: readonly Write[],
  restored: Restored,
): Promise<void> {
  const { repository, origin, force } = restoring;
  const { digest, mediaType, mirrored = false } = entry;
  const bytes = await readManifest(parts.blobs, digest);
  if (bytes === undefined) throw gone(repository, digest);
  const facts = parseManifest(bytes, mediaType);
  if (!mirrored) await bringBackNamed(parts, restoring, facts, restored);

  const rest = [...tags];
  let further = also;
  do {
    const some = await free(parts, restoring, digest, rest.splice(0, TAGS), restored);
    try {
      const left = await pushManifest(parts, {
        repository,
        digest,
        tags: some.map((tag) => tag.entry.tag),
        bytes,
        facts,
        origin,
        mirrored,
        movesTags: force,
        also: [...further, ...some.map(({ row, etag }): Write => ({ kind: 'delete', row, etag }))],
      });
      await passOn(parts, left);
    } catch (error) {
      if (!(error instanceof Terminal && error.code === 'tag-taken')) throw error;
      // Somebody pushed one of the tags just now.
      rest.unshift(...some);
      continue;
    }
    restored.tags.push(...some.map((tag) => tag.entry.tag));
    further = [];
  } while (rest.length > 0);
}

/** Those of the tags that may be set. */
async function free(
  { tables }: RestoreParts,
  { repository, force }: Restoring,
  digest: Digest,
  tags: readonly Kept<DeletedTag>[],
  restored: Restored,
): Promise<readonly Kept<DeletedTag>[]> {
  const found: Kept<DeletedTag>[] = [];
  for (const tag of tags) {
    const now = await findTag(tables, repository, tag.entry.tag);
    if (now === undefined || now.digest === digest || force) found.push(tag);
    else restored.taken.push(tag.entry.tag);
  }
  return found;
}

/** Content is still there: garbage collection keeps it. Links may have gone, and children may have been deleted too. */
async function bringBackNamed(
  parts: RestoreParts,
  restoring: Restoring,
  { blobs, manifests }: ManifestFacts,
  restored: Restored,
): Promise<void> {
  const { repository } = restoring;
  for (const { digest } of blobs) {
    const content = await keepContent(parts.blobs, digest, parts.now());
    if (content === undefined) throw gone(repository, digest);
    if (!(await keepLink(parts.tables, repository, digest, parts.now())))
      await linkBlob(parts, repository, digest, content.size);
  }
  for (const { digest } of manifests)
    if (
      (await findManifest(parts.tables, repository, digest)) === undefined &&
      (await deletedManifest(parts, repository, digest)) !== undefined
    )
      await bringBack(parts, restoring, digest, restored);
}

const isRestorable = ({ now }: RestoreParts, { restorableUntil }: { restorableUntil: string }): boolean =>
  Date.parse(restorableUntil) > now().getTime();

async function deletedManifest(
  parts: RestoreParts,
  repository: RepositoryName,
  digest: Digest,
): Promise<Kept<DeletedManifest> | undefined> {
  const row = await parts.tables.read(REGISTRY, partitionOf(repository), deletedManifestRow(digest));
  const deleted = row && { ...documentOf(DeletedManifest, row.values), row: row.row, etag: row.etag };
  return deleted && isRestorable(parts, deleted) ? deleted : undefined;
}

async function newestOf(
  parts: RestoreParts,
  repository: RepositoryName,
  tag: Tag,
): Promise<Kept<DeletedTag> | undefined> {
  for await (const deleted of listDeletedTags(parts.tables, repository, tag))
    return isRestorable(parts, deleted) ? deleted : undefined;
  return undefined;
}

const nothing = (what: string): Terminal =>
  new Terminal({
    code: 'nothing-to-restore',
    status: 404,
    message: `${what} was not deleted, or too long ago to be restored.`,
    remedy: 'See what can be restored: berth registry trash list',
  });

const gone = (repository: RepositoryName, digest: Digest): Terminal =>
  new Terminal({
    code: 'content-gone',
    status: 410,
    message: `The content ${digest} of ${repository} is no longer stored.`,
    remedy: 'Push the image again.',
  });
