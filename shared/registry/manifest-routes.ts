import { Digest, type RepositoryName, Tag } from '../model/image.ts';
import { Conflict, type Write } from '../state/tables.ts';
import { type Activity, type Origin, originOf } from './activity.ts';
import { type Call, type Handler, isHead, parseDigest, type RegistryDeps } from './call.ts';
import { readManifest as readManifestBytes } from './content.ts';
import { RegistryError } from './errors.ts';
import { algorithmOf, digestOfBytes } from './hashing.ts';
import { MANIFEST_LIMIT, parseManifest } from './manifest.ts';
import { passOn } from './pass-on.ts';
import { pushManifest } from './push-manifest.ts';
import { readLimited } from './read-limited.ts';
import {
  findManifest,
  findTag,
  listTags,
  manifestRow,
  partitionOf,
  REGISTRY,
  referrerRow,
  tagRow,
} from './repository.ts';

/**
 * Tags that one push may move: each is three rows of a transaction, which has at most 100, and up to 40 more are those of
 * subscriptions.
 */
const MOST_TAGS = 16;

/**
 * GET and HEAD, by tag or digest; the bytes and the media type are those that were pushed. A GET is a pull, and recorded before
 * it is answered; HEAD gives nothing away but that it is there, and is none.
 */
export const readManifest: Handler = async (deps, call) => {
  const { blobs, tables, recorder } = deps;
  const { request, repository, reference } = call;
  const tag = Tag.safeParse(reference).data;
  const found = reference.includes(':')
    ? await findManifest(tables, repository, parseDigest(reference))
    : // What can be no tag is none: clients that ask for it are told that it is not there.
      tag && (await findTag(tables, repository, tag));
  if (found === undefined) throw unknown(repository, reference);
  const headers = {
    'content-type': found.mediaType,
    'content-length': String(found.size),
    'docker-content-digest': found.digest,
    etag: `"${found.digest}"`,
  };
  if (isHead(request)) return new Response(null, { headers });
  const { digest, mediaType, size } = found;
  const [bytes, left] = await Promise.all([
    readManifestBytes(blobs, digest),
    recorder.pulled(repository, {
      action: 'pull',
      tag,
      digest,
      mediaType,
      size,
      origin: originOf(call),
      at: deps.now(),
    }),
  ]);
  await passOn(deps, left);
  if (bytes === undefined) throw unknown(repository, reference);
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
};

/** PUT, by tag, or by digest with any number of `?tag=`. */
export const writeManifest: Handler = async (deps, call) => {
  const { request, repository, reference, url } = call;
  const bytes = await readLimited(request, MANIFEST_LIMIT);
  const byDigest = reference.includes(':') ? parseDigest(reference) : undefined;
  const digest = digestOfBytes(byDigest === undefined ? 'sha256' : algorithmOf(byDigest), bytes);
  if (byDigest !== undefined && byDigest !== digest)
    throw new RegistryError('DIGEST_INVALID', `the manifest's digest is ${digest}, not ${byDigest}`);
  const tags = byDigest === undefined ? [reference] : [...new Set(url.searchParams.getAll('tag'))];
  if (tags.length > MOST_TAGS)
    throw new RegistryError('TAG_INVALID', `a push has at most ${MOST_TAGS} tags, not ${tags.length}`, {
      status: 414,
    });
  const facts = parseManifest(bytes, request.headers.get('content-type') ?? undefined);
  const left = await pushManifest(deps, {
    repository,
    digest,
    tags: tags.map(parseTag),
    bytes,
    facts,
    origin: originOf(call),
  });
  await passOn(deps, left);
  const headers = new Headers({
    location: `/v2/${repository}/manifests/${byDigest ?? reference}`,
    'docker-content-digest': digest,
    'content-length': '0',
  });
  if (facts.subject !== undefined) headers.set('oci-subject', facts.subject);
  if (byDigest !== undefined) for (const tag of tags) headers.append('oci-tag', tag);
  return new Response(null, { status: 201, headers });
};

/** DELETE, of a tag alone, or of a manifest with all its tags. */
export const deleteManifest: Handler = async (deps, call) => {
  const { repository, reference } = call;
  const gone = reference.includes(':')
    ? await removeManifest(deps, repository, parseDigest(reference), originOf(call))
    : await removeTag(deps, repository, parseTag(reference), originOf(call));
  if (!gone) throw unknown(repository, reference);
  return new Response(null, { status: 202 });
};

/**
 * Tags first, each only while it still means this manifest; then the manifest, unless it was pushed again meanwhile: then
 * once more, since that push may have set tags.
 */
async function removeManifest(
  deps: RegistryDeps,
  repository: RepositoryName,
  digest: Digest,
  origin: Origin,
): Promise<boolean> {
  const { tables } = deps;
  for (;;) {
    const manifest = await findManifest(tables, repository, digest);
    if (manifest === undefined) return false;
    for await (const entry of listTags(tables, repository))
      if (entry.digest === digest)
        await remove(deps, repository, [{ row: tagRow(entry.tag), etag: entry.etag }], { ...entry, origin });
    if (manifest.subject !== undefined)
      await removeReferrer(deps, repository, referrerRow(manifest.subject, digest));
    const row = { row: manifestRow(digest), etag: manifest.etag };
    if (await remove(deps, repository, [row], { ...manifest, origin })) return true;
  }
}

/** Once more, while others move the tag. */
async function removeTag(
  deps: RegistryDeps,
  repository: RepositoryName,
  tag: Tag,
  origin: Origin,
): Promise<boolean> {
  for (;;) {
    const entry = await findTag(deps.tables, repository, tag);
    if (entry === undefined) return false;
    const row = { row: tagRow(tag), etag: entry.etag };
    if (await remove(deps, repository, [row], { ...entry, origin })) return true;
  }
}

/**
 * Takes rows away with what that leaves, in one transaction.
 * @returns false if one of them is not there, or not at that version
 */
async function remove(
  deps: RegistryDeps,
  repository: RepositoryName,
  rows: readonly { readonly row: string; readonly etag: string }[],
  {
    tag,
    digest,
    mediaType,
    size,
    origin,
  }: Pick<Activity, 'tag' | 'digest' | 'mediaType' | 'size' | 'origin'>,
): Promise<boolean> {
  const activity: Activity = { action: 'delete', tag, digest, mediaType, size, origin, at: deps.now() };
  const { writes, left } = await deps.recorder.leave(repository, [activity]);
  try {
    await deps.tables.commit(REGISTRY, partitionOf(repository), [
      ...rows.map((row): Write => ({ kind: 'delete', ...row })),
      ...writes,
    ]);
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
  await passOn(deps, left);
  return true;
}

/** One that is gone already is no matter. */
async function removeReferrer(
  { tables }: RegistryDeps,
  repository: RepositoryName,
  row: string,
): Promise<void> {
  try {
    await tables.commit(REGISTRY, partitionOf(repository), [{ kind: 'delete', row }]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

function parseTag(text: string): Tag {
  const tag = Tag.safeParse(text);
  if (!tag.success)
    throw new RegistryError('TAG_INVALID', `"${text}" is no tag: ${tag.error.issues[0]?.message}`);
  return tag.data;
}

const unknown = (repository: Call['repository'], reference: string): RegistryError =>
  new RegistryError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`, {
    detail: Digest.safeParse(reference).success ? { digest: reference } : { tag: reference },
  });
