import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Digest } from '../model/image.ts';
import { Conflict } from '../state/tables.ts';
import { blobActivity } from './activity.ts';
import { type Call, type Handler, isHead, parseDigest, type RegistryDeps } from './call.ts';
import { type Content, findContentToRead, keepContent } from './content.ts';
import { RegistryError } from './errors.ts';
import { findBlob, hasBlob, keepLink } from './links.ts';
import { passOn } from './pass-on.ts';
import { forgetUse } from './quota/use.ts';
import { parseRange } from './range.ts';
import { blobRow, partitionOf, REGISTRY } from './repository.ts';

/** Bytes up to which a blob is answered directly: a redirect costs a client more than this takes. */
const INLINE = 64 * 1024;
/** Seconds within which a client must have begun to read what it was redirected to. */
const REDIRECT_LIFE = 1200;

/** GET and HEAD. Large content is not passed through here: the client gets a URL of the storage that lives briefly. */
export const readBlob: Handler = async (deps, call) => {
  const digest = parseDigest(call.reference);
  const content = await contentIn(deps, call, digest);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
  const length = { 'content-length': String(content.size) };
  if (isHead(call.request)) return new Response(null, { headers: { ...headers, ...length } });
  if (content.size > INLINE) {
    const location = await deps.blobs.readUrl(content.data, REDIRECT_LIFE);
    return new Response(null, { status: 307, headers: { ...headers, location, 'content-length': '0' } });
  }
  const range = parseRange(call.request.headers.get('range'), content.size);
  if (range === 'unsatisfiable')
    throw new RegistryError('RANGE_INVALID', `the blob has ${content.size} bytes`, {
      headers: { 'content-range': `bytes */${content.size}` },
    });
  if (range === undefined)
    return new Response(await bodyOf(deps, content), { headers: { ...headers, ...length } });
  const { from, to } = range;
  return new Response(await bodyOf(deps, content, { offset: from, count: to - from + 1 }), {
    status: 206,
    headers: {
      ...headers,
      'content-range': `bytes ${from}-${to}/${content.size}`,
      'content-length': String(to - from + 1),
    },
  });
};

async function contentIn(deps: RegistryDeps, call: Call, digest: Digest): Promise<Content> {
  const { blobs, tables } = deps;
  const find = async (): Promise<Content | undefined> => {
    const [linked, content] = await Promise.all([
      // A client that asks with HEAD will not upload what it finds.
      isHead(call.request)
        ? keepLink(tables, call.repository, digest, deps.now())
        : hasBlob(tables, call.repository, digest),
      isHead(call.request)
        ? keepContent(blobs, digest, deps.now())
        : findContentToRead(blobs, digest, deps.now()),
    ]);
    return linked ? content : undefined;
  };
  const there = await find();
  if (there !== undefined) return there;
  await deps.mirror?.blob(deps, call.repository, digest);
  const fetched = deps.mirror && (await find());
  if (fetched === undefined) throw unknownBlob(call, digest);
  return fetched;
}

async function bodyOf(
  { blobs }: RegistryDeps,
  content: Content,
  slice?: { offset: number; count: number },
): Promise<ReadableStream<Uint8Array> | null> {
  if (content.size === 0) return null;
  const data = await blobs.open(content.data, slice);
  if (data === undefined) throw new Error(`${content.data} is named by a pointer and is not there`);
  return Readable.toWeb(data.stream) as ReadableStream<Uint8Array>;
}

/** DELETE takes the blob out of this repository; the content stays as long as another names it. */
export const deleteBlob: Handler = async (deps, call) => {
  const { repository } = call;
  const digest = parseDigest(call.reference);
  const entry = await findBlob(deps.tables, repository, digest);
  if (entry === undefined) throw unknownBlob(call, digest);
  const { writes, left } = await deps.recorder.leave(repository, [
    blobActivity('delete', digest, entry.size, call, deps.now()),
  ]);
  try {
    await deps.tables.commit(REGISTRY, partitionOf(repository), [
      { kind: 'delete', row: blobRow(digest) },
      forgetUse(),
      ...writes,
    ]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    throw unknownBlob(call, digest);
  }
  await passOn(deps, left);
  return new Response(null, { status: 202 });
};

const unknownBlob = ({ repository }: Call, digest: Digest): RegistryError =>
  new RegistryError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`, { detail: { digest } });
