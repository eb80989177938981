import type { Blobs } from '../state/blobs.ts';
import { BlockWriter } from './block-writer.ts';
import { RegistryError } from './errors.ts';
import { type Algorithm, type Hashing, nativeHashing, savableHashing } from './hashing.ts';
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
export async function receive(
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
export async function writing<T>(
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
export async function hashingFor(
  upload: Upload,
  algorithm: Algorithm,
  fresh: 'native' | 'savable',
): Promise<Hashing | undefined> {
  if (upload.offset === 0) return fresh === 'native' ? nativeHashing(algorithm) : savableHashing(algorithm);
  return upload.hash.kind === 'state' && upload.algorithm === algorithm
    ? savableHashing(algorithm, upload.hash.state)
    : undefined;
}

export const brokenOff = (cause: unknown): RegistryError =>
  new RegistryError('BLOB_UPLOAD_INVALID', 'the body ended before it was complete', { cause });
