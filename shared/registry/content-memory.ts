import type { Digest } from '../model/image.ts';
import type { BlobInfo, Blobs } from '../state/blobs.ts';

/**
 * How long this process goes on with a pointer that it read, milliseconds. Garbage collection takes pointers that were not touched
 * for a day, and their bytes hours later: see `garbage/ages.ts`. So whoever is sent to the bytes has all the time that a redirect
 * gives, and a pointer that is fresh is there.
 */
const FRESH_MS = 60_000;
const MOST = 10_000;

/** Pointers that a process read lately. Whether a repository has the blob is asked elsewhere, each time. */
class ContentMemory {
  readonly #known = new Map<Digest, { readonly pointer: BlobInfo; readonly at: number }>();

  get(digest: Digest, now: Date): BlobInfo | undefined {
    const known = this.#known.get(digest);
    const age = known && now.getTime() - known.at;
    return age !== undefined && age >= 0 && age < FRESH_MS ? known?.pointer : undefined;
  }

  /** @param now when it was read, or before */
  add(digest: Digest, pointer: BlobInfo, now: Date): void {
    // The order of the map is that of age.
    this.#known.delete(digest);
    this.#known.set(digest, { pointer, at: now.getTime() });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
  }
}

const memories = new WeakMap<Blobs, ContentMemory>();

export function pointersOf(blobs: Blobs): ContentMemory {
  const memory = memories.get(blobs) ?? new ContentMemory();
  memories.set(blobs, memory);
  return memory;
}
