import { Digest, type RepositoryName, Tag } from '../model/image.ts';
import { Conflict, type Write } from '../state/tables.ts';
import { type Call, type Handler, isHead, parseDigest, type RegistryDeps } from './call.ts';
import { readManifest as readManifestBytes } from './content.ts';
import { RegistryError } from './errors.ts';
import { algorithmOf, digestOfBytes } from './hashing.ts';
import { MANIFEST_LIMIT, parseManifest } from './manifest.ts';
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

/** Tags that one push may move: each is two rows of a transaction, which has at most 100. */
const MOST_TAGS = 48;

/** GET and HEAD, by tag or digest; the bytes and the media type are those that were pushed. */
export const readManifest: Handler = async ({ blobs, tables }, { request, repository, reference }) => {
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
  const bytes = await readManifestBytes(blobs, found.digest);
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
  const events = await pushManifest(deps, { repository, digest, tags: tags.map(parseTag), bytes, facts });
  await pass(deps, events);
  const headers = new Headers({
    location: `/v2/${repository}/manifests/${byDigest ?? reference}`,
    'docker-content-digest': digest,
    'content-length': '0',
  });
  if (facts.subject !== undefined) headers.set('oci-subject', facts.subject);
  if (byDigest !== undefined) for (const tag of tags) headers.append('oci-tag', tag);
  return new Response(null, { status: 201, headers });
};

/** The push is done, whatever becomes of its events: those that are not accepted now stay, to be found again. */
async function pass(deps: RegistryDeps, events: Awaited<ReturnType<typeof pushManifest>>): Promise<void> {
  try {
    await deps.onPushed(events.map(({ event }) => event));
    await Promise.all(events.map((event) => event.accepted()));
  } catch (error) {
    deps.report(error);
  }
}

/** DELETE, of a tag alone, or of a manifest with all its tags. */
export const deleteManifest: Handler = async (deps, { repository, reference }) => {
  const gone = reference.includes(':')
    ? await removeManifest(deps, repository, parseDigest(reference))
    : await removeRow(deps, repository, tagRow(parseTag(reference)));
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
): Promise<boolean> {
  const { tables } = deps;
  for (;;) {
    const manifest = await findManifest(tables, repository, digest);
    if (manifest === undefined) return false;
    for await (const entry of listTags(tables, repository))
      if (entry.digest === digest) await removeRow(deps, repository, tagRow(entry.tag), entry.etag);
    if (manifest.subject !== undefined)
      await removeRow(deps, repository, referrerRow(manifest.subject, digest));
    if (await removeRow(deps, repository, manifestRow(digest), manifest.etag)) return true;
  }
}

/** @returns false if the row is not there, or not at that version */
async function removeRow(
  { tables }: RegistryDeps,
  repository: RepositoryName,
  row: string,
  etag?: string,
): Promise<boolean> {
  const write: Write = etag === undefined ? { kind: 'delete', row } : { kind: 'delete', row, etag };
  try {
    await tables.commit(REGISTRY, partitionOf(repository), [write]);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
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
