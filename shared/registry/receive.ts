import type { Digest } from '../model/image.ts';
import { BlobConflict, type Blobs, BlocksGone } from '../state/blobs.ts';
import { BlockWriter } from './block-writer.ts';
import { claimContent, keepContent } from './content.ts';
import { RegistryError } from './errors.ts';
import { type Algorithm, algorithmOf, type Hashing, nativeHashing, savableHashing } from './hashing.ts';
import { dataOf, type Upload } from './uploads.ts';

/** What came of one request's body. */
interface Received {
  readonly size: number;
  /** Over all bytes of the upload; undefined if it could not be gone on with. */
  readonly hashing: Hashing | undefined;
  /** Why the body ended early, if it did: what came before is received. */
  readonly interruption: unknown;
}

/** Reads a body into blocks of the upload's data, hashing alongside; nothing is saved yet. */
async function receive(
  writer: BlockWriter,
  body: Request['body'],
  hashing: Hashing | undefined,
): Promise<Received> {
  const reader = body?.getReader();
  let size = 0;
  let interruption: unknown;
  while (reader !== undefined) {
    let part: Uint8Array | undefined;
    try {
      part = (await reader.read()).value;
    } catch (error) {
      // A body that is not to be taken any further is refused, not interrupted.
      if (error instanceof RegistryError) throw error;
      interruption = error ?? new Error('the body ended early');
    }
    if (part === undefined) break;
    hashing?.update(part);
    size += part.length;
    await writer.write(part);
  }
  return { size, hashing, interruption };
}

/** Lends a writer of the upload's data, whose memory comes back whatever becomes of it. */
async function writing<T>(
  blobs: Blobs,
  upload: Upload,
  work: (writer: BlockWriter) => Promise<T>,
): Promise<T> {
  const writer = new BlockWriter(blobs, dataOf(upload.id));
  try {
    return await work(writer);
  } finally {
    await writer.abandon();
  }
}

/** The hash to go on with: a new one at the beginning, else the one saved, else none. */
async function hashingFor(
  upload: Upload,
  algorithm: Algorithm,
  fresh: 'native' | 'savable',
): Promise<Hashing | undefined> {
  if (upload.offset === 0) return fresh === 'native' ? nativeHashing(algorithm) : savableHashing(algorithm);
  return upload.hash.kind === 'state' && upload.algorithm === algorithm
    ? savableHashing(algorithm, upload.hash.state)
    : undefined;
}

/**
 * Appends a PATCH's body.
 * @param resumable the client sends chunks and may come back: the hash is made so that it can be saved, and what was
 *   received of a body that broke off counts. Others send everything in one request, which a faster hash follows.
 * @returns the upload as it is to be saved
 */
export async function append(
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  resumable: boolean,
): Promise<{ readonly upload: Upload; readonly size: number; readonly interruption: unknown }> {
  const hashing = await hashingFor(upload, upload.algorithm, resumable ? 'savable' : 'native');
  const { size, interruption, blockIds } = await writing(blobs, upload, async (writer) => {
    const received = await receive(writer, body, hashing);
    await writer.end();
    return { ...received, blockIds: writer.ids };
  });
  if (size === 0) return { upload, size, interruption };
  const state = hashing?.save();
  return {
    size,
    interruption,
    upload: {
      ...upload,
      offset: upload.offset + size,
      blockIds: [...upload.blockIds, ...blockIds],
      hash:
        hashing === undefined
          ? { kind: 'unknown' }
          : state === undefined
            ? { kind: 'digest', digest: hashing.digest() }
            : { kind: 'state', state },
    },
  };
}

/**
 * Appends the last body, and makes the upload's bytes the content of `digest`. The bytes are neither read again nor copied,
 * unless their hash could not follow them.
 * @returns size in bytes
 * @throws RegistryError DIGEST_INVALID if they are not that content; BLOB_UPLOAD_INVALID if the body broke off
 */
export const finish = (
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  digest: Digest,
  now: Date,
): Promise<number> =>
  writing(blobs, upload, (writer) => finishWith(writer, blobs, upload, body, digest, now));

async function finishWith(
  writer: BlockWriter,
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  digest: Digest,
  now: Date,
): Promise<number> {
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
    if (content !== undefined) return content.size;
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
  await claimContent(blobs, digest, upload.id, size);
  return size;
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

export const brokenOff = (cause: unknown): RegistryError =>
  new RegistryError('BLOB_UPLOAD_INVALID', 'the body ended before it was complete', { cause });

const otherDigest = (expected: Digest, actual: string): RegistryError =>
  new RegistryError('DIGEST_INVALID', `the content's digest is ${actual}, not ${expected}`, {
    detail: { expected, actual },
  });
