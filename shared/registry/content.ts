import { z } from 'zod';
import type { Digest } from '../model/image.ts';
import { BlobConflict, type BlobInfo, type Blobs } from '../state/blobs.ts';
import { pointersOf } from './content-memory.ts';
import { pathOf } from './hashing.ts';
import { memoryOf } from './manifest-memory.ts';

/** A pointer this old is touched when somebody relies on it: removal of unused content spares what is younger than a day. */
const TOUCH_AFTER = 12 * 3600 * 1000;

/** Whether what was touched at `at` (milliseconds) need not be touched again. */
export const isFresh = (at: number, now: Date): boolean => now.getTime() - at < TOUCH_AFTER;

export interface Content {
  /** Name of the blob that holds the bytes. */
  readonly data: string;
  readonly size: number;
}

const Metadata = z.object({ data: z.string(), size: z.coerce.number().int().nonnegative() });

const pointerOf = (digest: Digest): string => `blobs/${pathOf(digest)}`;
const contentOf = (info: BlobInfo): Content => {
  const { data, size } = Metadata.parse(info.metadata);
  return { data: `data/${data}`, size };
};

export async function findContent(blobs: Blobs, digest: Digest): Promise<Content | undefined> {
  const info = await blobs.head(pointerOf(digest));
  return info && contentOf(info);
}

/** Finds content to be read at once; this process may have read the pointer a moment ago. */
export async function findContentToRead(
  blobs: Blobs,
  digest: Digest,
  now: Date,
): Promise<Content | undefined> {
  const memory = pointersOf(blobs);
  const info = memory.get(digest, now) ?? (await blobs.head(pointerOf(digest)));
  if (info === undefined) return undefined;
  if (memory.get(digest, now) === undefined) memory.add(digest, info, now);
  return contentOf(info);
}

/**
 * Finds content that the caller is about to rely on, and makes sure that it stays: a client skips an upload, or a manifest
 * names it.
 */
export async function keepContent(blobs: Blobs, digest: Digest, now: Date): Promise<Content | undefined> {
  const memory = pointersOf(blobs);
  const known = memory.get(digest, now);
  if (known !== undefined && isFresh(known.modifiedAt.getTime(), now)) return contentOf(known);
  for (;;) {
    const info = await blobs.head(pointerOf(digest));
    if (info === undefined) return undefined;
    if (isFresh(info.modifiedAt.getTime(), now)) {
      memory.add(digest, info, now);
      return contentOf(info);
    }
    try {
      await blobs.setMetadata(pointerOf(digest), { ...info.metadata }, { ifMatch: info.etag });
      return contentOf(info);
    } catch (error) {
      // Touched by somebody else, or removed: look again.
      if (!(error instanceof BlobConflict)) throw error;
    }
  }
}

/** Makes `data/<id>` the content of `digest`; where there is some already, that one stays and ours goes. */
export async function claimContent(blobs: Blobs, digest: Digest, id: string, size: number): Promise<void> {
  const metadata = { data: id, size: String(size) };
  for (;;) {
    try {
      await blobs.put(pointerOf(digest), new Uint8Array(0), { ifNoneMatch: '*', metadata });
      return;
    } catch (error) {
      if (!(error instanceof BlobConflict)) throw error;
    }
    const winner = await blobs.head(pointerOf(digest));
    if (winner === undefined) continue;
    if (winner.metadata.data === id) return;
    try {
      await blobs.setMetadata(pointerOf(digest), { ...winner.metadata }, { ifMatch: winner.etag });
    } catch (error) {
      if (error instanceof BlobConflict) continue;
      throw error;
    }
    await blobs.delete(`data/${id}`);
    return;
  }
}

const manifestName = (digest: Digest): string => `manifests/${pathOf(digest)}`;

/** Writing what is there already writes the same bytes: it counts as a touch. */
export async function putManifest(blobs: Blobs, digest: Digest, bytes: Uint8Array): Promise<void> {
  await blobs.put(manifestName(digest), bytes);
}

export async function readManifest(blobs: Blobs, digest: Digest): Promise<Uint8Array | undefined> {
  const memory = memoryOf(blobs);
  const known = memory.get(digest);
  if (known !== undefined) return known;
  const bytes = (await blobs.read(manifestName(digest)))?.bytes;
  if (bytes !== undefined) memory.add(digest, bytes);
  return bytes;
}
