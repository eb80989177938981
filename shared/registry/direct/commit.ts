import { BlobConflict, type Blobs } from '../../state/blobs.ts';
import { claimContent } from '../content.ts';
import { RegistryError } from '../errors.ts';
import { algorithmOf, savableHashing } from '../hashing.ts';
import { hasBlob, linkBlob } from '../links.ts';
import { dataOf, endUpload } from '../uploads.ts';
import { type DirectParts, missingBlocks } from './begin.ts';
import { blocksOf } from './blocks.ts';
import { type DirectUpload, findDirect, saveDirect } from './session.ts';

/** How much one request reads: it must be answered well before the client loses patience (30 s), or a proxy (230 s on Azure). */
export interface Slice {
  readonly bytes: number;
  readonly milliseconds: number;
}
const SLICE: Slice = { bytes: 16 * 1024 ** 3, milliseconds: 10_000 };

export type Committed =
  | { readonly status: 'verifying'; readonly verified: number; readonly size: number }
  | { readonly status: 'done' };

/**
 * Makes the staged blocks the content of the upload's digest, as far as one request goes: ask again until it is done. Doing
 * a step again, or two at once, does no harm.
 * @throws RegistryError BLOB_UPLOAD_INVALID if blocks are missing, DIGEST_INVALID or SIZE_INVALID if it is other content,
 *   DENIED if the quota has no room
 */
export async function commitDirect(
  parts: DirectParts,
  upload: DirectUpload,
  slice: Slice = SLICE,
): Promise<Committed> {
  const { blobs } = parts;
  const sealed = upload.verified === undefined ? await putTogether(blobs, upload) : upload;
  if (sealed === undefined) return await progressOf(parts, upload);
  const { upload: read, digest } = await verify(blobs, sealed, slice);
  if (digest === undefined) {
    const saved = await saveDirect(blobs, read);
    return saved === undefined
      ? await progressOf(parts, upload)
      : { status: 'verifying', verified: read.verified ?? 0, size: read.size };
  }
  if (digest !== upload.digest) {
    await discard(blobs, upload);
    throw new RegistryError('DIGEST_INVALID', `the content's digest is ${digest}, not ${upload.digest}`, {
      detail: { expected: upload.digest, actual: digest },
    });
  }
  await claimContent(blobs, upload.digest, upload.id, upload.size);
  await linkBlob(parts, upload.repository, upload.digest, upload.size);
  await endUpload(blobs, upload.id);
  return { status: 'done' };
}

/** Blocks become the blob, and the blob is sealed. @returns undefined if another request was faster */
async function putTogether(blobs: Blobs, upload: DirectUpload): Promise<DirectUpload | undefined> {
  const missing = await missingBlocks(blobs, upload);
  if (missing.length > 0)
    throw new RegistryError(
      'BLOB_UPLOAD_INVALID',
      `${missing.length} of ${blocksOf(upload).length} blocks are not there: stage them, then commit again`,
      { detail: { missing: missing.length } },
    );
  try {
    const ids = blocksOf(upload).map(({ id }) => id);
    const metadata = { mark: upload.mark };
    await blobs.commitBlocks(dataOf(upload.id), ids, { ifNoneMatch: '*', metadata });
  } catch (error) {
    // Put together already, by a request before this one.
    if (!(error instanceof BlobConflict)) throw error;
  }
  const { size, metadata } = await blobs.seal(dataOf(upload.id));
  if (metadata['mark'] !== upload.mark) {
    // The client's own, with headers of its choice, which whoever pulls it would get: not even looked at.
    await discard(blobs, upload);
    throw new RegistryError(
      'BLOB_UPLOAD_INVALID',
      'the client put the blob together itself; it only stages blocks',
    );
  }
  if (size !== upload.size) {
    await discard(blobs, upload);
    throw new RegistryError('SIZE_INVALID', `the content has ${size} bytes, not ${upload.size}`);
  }
  return saveDirect(blobs, { ...upload, verified: 0 });
}

/** Reads on in the sealed blob. @returns the digest once all was read */
async function verify(
  blobs: Blobs,
  upload: DirectUpload,
  slice: Slice,
): Promise<{ readonly upload: DirectUpload; readonly digest: string | undefined }> {
  const algorithm = algorithmOf(upload.digest);
  const resumed = upload.hash === undefined ? undefined : await savableHashing(algorithm, upload.hash);
  // A state of another build cannot be gone on with: from the beginning, then.
  const hashing = resumed ?? (await savableHashing(algorithm));
  if (hashing === undefined) throw new Error('a new hash needs no state');
  let verified = resumed === undefined ? 0 : (upload.verified ?? 0);
  const until = performance.now() + slice.milliseconds;
  const end = Math.min(upload.size, verified + slice.bytes);
  if (verified < upload.size) {
    const data = await blobs.open(dataOf(upload.id), { offset: verified, count: end - verified });
    if (data === undefined) throw unknown(upload.id);
    for await (const part of data.stream) {
      hashing.update(part);
      verified += part.length;
      if (performance.now() >= until) break;
    }
  }
  const isWhole = verified === upload.size;
  return {
    upload: { ...upload, verified, hash: hashing.save() },
    digest: isWhole ? hashing.digest() : undefined,
  };
}

/** Another request goes on with it, or has ended it: how far it is. */
async function progressOf(
  parts: DirectParts,
  { id, repository, digest, size }: DirectUpload,
): Promise<Committed> {
  const upload = await findDirect(parts.blobs, id);
  if (upload !== undefined) return { status: 'verifying', verified: upload.verified ?? 0, size };
  if (await hasBlob(parts.tables, repository, digest)) return { status: 'done' };
  throw unknown(id);
}

const unknown = (id: string): RegistryError =>
  new RegistryError('BLOB_UPLOAD_UNKNOWN', `the upload ${id} was ended by another request`);

async function discard(blobs: Blobs, { id }: DirectUpload): Promise<void> {
  await blobs.delete(dataOf(id));
  await endUpload(blobs, id);
}
