import { randomUUID } from 'node:crypto';
import { type Digest, RepositoryName } from '../model/image.ts';
import { allows } from './access.ts';
import { blobActivity } from './activity.ts';
import { append } from './append.ts';
import { type Call, type Handler, parseDigest, type RegistryDeps } from './call.ts';
import { keepContent } from './content.ts';
import { RegistryError } from './errors.ts';
import { finish } from './finish.ts';
import { algorithmOf } from './hashing.ts';
import { hasBlob, linkBlob } from './links.ts';
import { passOn } from './pass-on.ts';
import { boundedBody } from './quota/bounded-body.ts';
import { parseContentRange, uploadRange } from './range.ts';
import { partsOf, referenceTo } from './upload-memory.ts';
import { endUpload, findUpload, readUpload, startUpload, type Upload } from './uploads.ts';

/** POST: mounts what another repository has, takes a whole blob, or begins an upload. */
export const beginUpload: Handler = async (deps, call) => {
  const { searchParams } = call.url;
  const mount = searchParams.get('mount');
  if (mount !== null && (await mountBlob(deps, call, parseDigest(mount))))
    return created(call, parseDigest(mount));

  const digest = searchParams.get('digest');
  const { repository, request } = call;
  const hasBody = request.body !== null && request.headers.get('content-length') !== '0';
  if (digest !== null && hasBody) {
    // No other request can know of this upload, so there is nothing to save.
    const upload: Upload = {
      id: randomUUID(),
      etag: '',
      repository,
      algorithm: algorithmOf(parseDigest(digest)),
      offset: 0,
      blockIds: [],
      hash: { kind: 'unknown' },
    };
    return finishUpload(deps, call, upload, parseDigest(digest));
  }
  const algorithm =
    searchParams.get('digest-algorithm') ?? (digest && algorithmOf(parseDigest(digest))) ?? 'sha256';
  if (algorithm !== 'sha256' && algorithm !== 'sha512')
    throw new RegistryError('DIGEST_INVALID', `digest-algorithm is sha256 or sha512, not "${algorithm}"`);
  const upload = await startUpload(deps.blobs, repository, algorithm);
  return empty(202, upload);
};

/** Whether the blob is now part of the repository: only what the caller may pull from elsewhere can be. */
async function mountBlob(deps: RegistryDeps, call: Call, digest: Digest): Promise<boolean> {
  const { blobs, tables, recorder, now } = deps;
  const from = RepositoryName.safeParse(call.url.searchParams.get('from'));
  if (!from.success || !allows(call.caller.access, { kind: 'repository', name: from.data, action: 'pull' }))
    return false;
  const [linked, content] = await Promise.all([
    hasBlob(tables, from.data, digest),
    keepContent(blobs, digest, now()),
  ]);
  if (!linked || content === undefined) return false;
  const activity = { ...blobActivity('mount', digest, content.size, call, now()), from: from.data };
  const { writes, left } = await recorder.leave(call.repository, [activity]);
  await linkBlob(deps, call.repository, digest, content.size, writes);
  await passOn(deps, left);
  return true;
}

/** PATCH: the next bytes. With Content-Range they must begin where the upload stands. */
export const continueUpload: Handler = async (deps, { repository, reference, request }) => {
  const { blobs } = deps;
  const upload = await findUpload(blobs, repository, reference);
  const chunk = chunkOf(request, upload);
  const body = await boundedBody(deps, request, repository, upload.offset);
  const saved = await append(blobs, upload, body, chunk);
  if (saved === undefined) throw outOfOrder(await readUpload(blobs, repository, upload.id));
  return empty(202, saved);
};

/** PUT: the last bytes, if any, and the digest of all. */
export const completeUpload: Handler = async (deps, call) => {
  const digest = parseDigest(call.url.searchParams.get('digest'));
  const upload = await findUpload(deps.blobs, call.repository, call.reference);
  chunkOf(call.request, upload);
  return finishUpload(deps, call, upload, digest);
};

async function finishUpload(
  deps: RegistryDeps,
  call: Call,
  upload: Upload,
  digest: Digest,
): Promise<Response> {
  const body = await boundedBody(deps, call.request, call.repository, upload.offset, digest);
  const { size, claim } = await finish(deps.blobs, upload, body, digest, deps.now());
  // None of these waits for another: a link without its pointer leads nowhere, as a pointer that nobody has linked does.
  await Promise.all([
    claim(),
    linkBlob(deps, call.repository, digest, size),
    upload.etag === '' ? undefined : endUpload(deps.blobs, upload.id),
  ]);
  return created(call, digest);
}

/** GET: where the upload stands. */
export const uploadStatus: Handler = async ({ blobs }, { repository, reference }) => {
  const upload = await readUpload(blobs, repository, partsOf(reference).id);
  return empty(204, upload);
};

/** DELETE: the upload is over. */
export const cancelUpload: Handler = async ({ blobs }, { repository, reference }) => {
  const upload = await readUpload(blobs, repository, partsOf(reference).id);
  await endUpload(blobs, upload.id);
  return new Response(null, { status: 204 });
};

/** @throws RegistryError RANGE_INVALID (416) if the chunk is not the next one */
function chunkOf(request: Request, upload: Upload): { from: number; to: number } | undefined {
  const chunk = parseContentRange(request.headers.get('content-range'));
  if (chunk === null)
    throw new RegistryError('RANGE_INVALID', 'Content-Range is <first byte>-<last byte>', { status: 400 });
  if (chunk !== undefined && chunk.from !== upload.offset) throw outOfOrder(upload);
  return chunk;
}

const outOfOrder = (upload: Upload): RegistryError =>
  new RegistryError('RANGE_INVALID', `the upload has ${upload.offset} bytes; go on from there`, {
    headers: progressOf(upload),
  });

const progressOf = (upload: Upload): Record<string, string> => ({
  location: `/v2/${upload.repository}/blobs/uploads/${referenceTo(upload)}`,
  range: uploadRange(upload.offset),
  'docker-upload-uuid': upload.id,
});

/** An answer without a body says so: clients wait for one otherwise. */
const empty = (status: 202 | 204, upload: Upload): Response =>
  new Response(null, {
    status,
    headers: { ...progressOf(upload), ...(status === 204 ? {} : { 'content-length': '0' }) },
  });

const created = ({ repository }: Call, digest: Digest): Response =>
  new Response(null, {
    status: 201,
    headers: {
      location: `/v2/${repository}/blobs/${digest}`,
      'docker-content-digest': digest,
      'content-length': '0',
    },
  });
