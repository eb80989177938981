import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** Bytes that lie in a file: a whole one, or an entry of a tar. */
export interface Region {
  readonly file: string;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** A part of a region; both in bytes. */
export const partOf = ({ file, offset }: Region, from: number, size: number): Region => ({
  file,
  offset: offset + from,
  size,
});

export const streamOf = ({ file, offset, size }: Region): Readable =>
  createReadStream(file, { start: offset, end: offset + size - 1, highWaterMark: 1024 * 1024 });

/** For regions that fit into memory. @throws Error if the file is shorter */
export async function bytesOf(region: Region): Promise<Buffer> {
  const handle = await open(region.file, 'r');
  try {
    return await readFrom(handle, region);
  } finally {
    await handle.close();
  }
}

/** @param into a buffer to use, if it is of that size */
export async function readFrom(
  handle: FileHandle,
  { file, offset, size }: Region,
  into?: Buffer,
): Promise<Buffer> {
  const bytes = into?.length === size ? into : Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, offset + at);
    if (bytesRead === 0) throw new Error(`${file} ends early: it was changed while it was read`);
    at += bytesRead;
  }
  return bytes;
}
