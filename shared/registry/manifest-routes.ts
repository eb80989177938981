import { Digest, Tag } from '../model/image.ts';
import { originOf } from './activity.ts';
import { type Call, type Handler, isHead, parseDigest } from './call.ts';
import { readManifest as readManifestBytes } from './content.ts';
import { RegistryError } from './errors.ts';
import { algorithmOf, digestOfBytes } from './hashing.ts';
import { MANIFEST_LIMIT, parseManifest } from './manifest.ts';
import { passOn } from './pass-on.ts';
import { pushManifest } from './push-manifest.ts';
import { readLimited } from './read-limited.ts';
import { findManifest, findTag } from './repository.ts';
import { removeManifest, removeTag } from './trash/remove.ts';
import { warning } from './warning.ts';

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
  const stale = await deps.mirror?.manifest(deps, repository, reference);
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
    ...warning(stale),
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
    ? await removeManifest(deps, repository, parseDigest(reference), { origin: originOf(call) })
    : await removeTag(deps, repository, parseTag(reference), { origin: originOf(call) });
  if (!gone) throw unknown(repository, reference);
  return new Response(null, { status: 202 });
};

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
