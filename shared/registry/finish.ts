import type { Digest } from '../model/image.ts';
import { BlobConflict, type Blobs, BlocksGone } from '../state/blobs.ts';
import type { BlockWriter } from './block-writer.ts';
import { claimContent, keepContent } from './content.ts';
import { RegistryError } from './errors.ts';
import { type Algorithm, algorithmOf, nativeHashing } from './hashing.ts';
import { brokenOff, hashingFor, receive, writing } from './receive.ts';
import { dataOf, type Upload } from './uploads.ts';

/** Bytes that lie in storage as one, and are those of the digest. */
interface Finished {
  /** Bytes. */
  readonly size: number;
  /** Makes them the digest's content. */
  claim(): Promise<void>;
}

/**
 * Appends the last body, and puts the upload's bytes together as the content of `digest`. They are neither read again nor copied,
 * unless their hash could not follow them.
 * @throws RegistryError DIGEST_INVALID if they are not that content; BLOB_UPLOAD_INVALID if the body broke off
 */
export const finish = (
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  digest: Digest,
  now: Date,
): Promise<Finished> =>
  writing(blobs, upload, (writer) => finishWith(writer, blobs, upload, body, digest, now));

async function finishWith(
  writer: BlockWriter,
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  digest: Digest,
  now: Date,
): Promise<Finished> {
  const algorithm = algorithmOf(digest);
  const hashing = await hashingFor(upload, algorithm, 'native');
  const { size: added, interruption } = await receive(writer, body, hashing);
  if (interruption !== undefined) throw brokenOff(interruption);
  const known =
    hashing?.digest() ??
    (added === 0 && upload.hash.kind === 'digest' && upload.algorithm === algorithm
      ? upload.hash.digest
      : undefined);
  if (known !== undefined && known !== digest) throw otherDigest(digest, known);

  const commitment = await commit(blobs, upload, writer);
  if (commitment === 'gone') {
    // An end whose answer got lost found the same content there and dropped ours. Its hash shows that the client had it.
    const content = known === undefined ? undefined : await keepContent(blobs, digest, now);
    if (content !== undefined) return { size: content.size, claim: async () => {} };
    throw new RegistryError(
      'BLOB_UPLOAD_UNKNOWN',
      `the upload ${upload.id} is over: what was sent has expired or was taken by another request; begin again`,
    );
  }
  let size = upload.offset + added;
  if (known === undefined || commitment === 'before') {
    const actual = await digestOfData(blobs, upload.id, algorithm);
    // What is committed stays: its blocks are spent, and the client may come again with the right digest.
    if (actual.digest !== digest) throw otherDigest(digest, actual.digest);
    size = actual.size;
  }
  return { size, claim: () => claimContent(blobs, digest, upload.id, size) };
}

/** @returns `before` if another request had committed the upload's data, `gone` if its blocks are no more */
async function commit(blobs: Blobs, upload: Upload, writer: BlockWriter): Promise<'now' | 'before' | 'gone'> {
  const whole = upload.blockIds.length === 0 ? writer.whole() : undefined;
  try {
    if (whole !== undefined) await blobs.put(dataOf(upload.id), whole, { ifNoneMatch: '*' });
    else {
      await writer.end();
      await blobs.commitBlocks(dataOf(upload.id), [...upload.blockIds, ...writer.ids], { ifNoneMatch: '*' });
    }
    return 'now';
  } catch (error) {
    if (error instanceof BlobConflict) return 'before';
    if (error instanceof BlocksGone) return 'gone';
    throw error;
  }
}

async function digestOfData(
  blobs: Blobs,
  id: string,
  algorithm: Algorithm,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const data = await blobs.open(dataOf(id));
  if (data === undefined)
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', `the upload ${id} was ended by another request`);
  const hashing = nativeHashing(algorithm);
  for await (const part of data.stream) hashing.update(part);
  return { digest: hashing.digest(), size: data.info.size };
}

const otherDigest = (expected: Digest, actual: string): RegistryError =>
  new RegistryError('DIGEST_INVALID', `the content's digest is ${actual}, not ${expected}`, {
    detail: { expected, actual },
  });
