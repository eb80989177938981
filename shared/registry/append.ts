import type { Blobs } from '../state/blobs.ts';
import type { BlockWriter } from './block-writer.ts';
import { RegistryError } from './errors.ts';
import type { Hashing } from './hashing.ts';
import { brokenOff, hashingFor, receive, writing } from './receive.ts';
import { endUpload, saveUpload, type Upload } from './uploads.ts';

/** What a PATCH's Content-Range says: first and last byte. */
interface Chunk {
  readonly from: number;
  readonly to: number;
}

/**
 * Appends a PATCH's body, and saves that.
 * @param chunk the client sends chunks and may come back: the hash is made so that it can be saved, and what was received of
 *   a body that broke off counts. Others send everything in one request, which a faster hash follows.
 * @returns undefined if another request was faster
 * @throws RegistryError SIZE_INVALID if the chunk is not as long as it was said to be; BLOB_UPLOAD_INVALID if the body broke off
 */
export const append = (
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  chunk: Chunk | undefined,
): Promise<Upload | undefined> =>
  writing(blobs, upload, (writer) => appendWith(writer, blobs, upload, body, chunk));

async function appendWith(
  writer: BlockWriter,
  blobs: Blobs,
  upload: Upload,
  body: Request['body'],
  chunk: Chunk | undefined,
): Promise<Upload | undefined> {
  const hashing = await hashingFor(upload, upload.algorithm, chunk === undefined ? 'native' : 'savable');
  const { size, interruption } = await receive(writer, body, hashing);
  const whole = interruption === undefined;
  const expected = chunk === undefined ? size : chunk.to - chunk.from + 1;
  if (whole && size !== expected)
    throw new RegistryError('SIZE_INVALID', `Content-Range names ${expected} bytes, ${size} came`);
  // Without Content-Range the client would send everything again, and what came now would stand before it.
  if (!whole && chunk === undefined) throw brokenOff(interruption);
  const next = (): Upload =>
    size === 0 ? upload : { ...upload, ...added(upload, size, writer.ids), hash: hashStateOf(hashing) };
  const saved =
    chunk === undefined ? await endSaving(writer, blobs, next) : await endThenSave(writer, blobs, next);
  if (saved !== undefined && !whole) throw brokenOff(interruption);
  return saved;
}

const added = (upload: Upload, size: number, blockIds: readonly string[]) => ({
  offset: upload.offset + size,
  blockIds: [...upload.blockIds, ...blockIds],
});

const hashStateOf = (hashing: Hashing | undefined): Upload['hash'] => {
  const state = hashing?.save();
  if (hashing === undefined) return { kind: 'unknown' };
  return state === undefined ? { kind: 'digest', digest: hashing.digest() } : { kind: 'state', state };
};

/** A client that comes back goes on from what is stored: nothing is said to be before it is. */
async function endThenSave(writer: BlockWriter, blobs: Blobs, next: () => Upload) {
  await writer.end();
  return saveUpload(blobs, next());
}

/** A client that sends everything in one request begins anew if that fails: the last blocks and the session are stored together. */
async function endSaving(writer: BlockWriter, blobs: Blobs, next: () => Upload) {
  await writer.sendRest();
  const [stored, saved] = await Promise.allSettled([writer.end(), saveUpload(blobs, next())]);
  if (stored.status === 'rejected') {
    if (saved.status === 'fulfilled' && saved.value !== undefined) await endUpload(blobs, saved.value.id);
    throw stored.reason;
  }
  if (saved.status === 'rejected') throw saved.reason;
  return saved.value;
}
