import type { Digest } from '../model/image.ts';
import type { Blobs } from '../state/blobs.ts';

/** Bytes of manifests that a process remembers; larger ones than a part of it are not. */
const ROOM = 4 * 1024 * 1024;
const LARGEST = ROOM / 64;

/** Manifests that were read lately, by digest: they never change. Whether one is there is asked elsewhere, each time. */
class ManifestMemory {
  readonly #manifests = new Map<Digest, Uint8Array>();
  #size = 0;

  get(digest: Digest): Uint8Array | undefined {
    const bytes = this.#manifests.get(digest);
    if (bytes === undefined) return undefined;
    // The order of the map is the order of use.
    this.#manifests.delete(digest);
    this.#manifests.set(digest, bytes);
    return bytes;
  }

  add(digest: Digest, bytes: Uint8Array): void {
    if (bytes.length > LARGEST || this.#manifests.has(digest)) return;
    this.#manifests.set(digest, bytes);
    this.#size += bytes.length;
    for (const [oldest, { length }] of this.#manifests) {
      if (this.#size <= ROOM) return;
      this.#manifests.delete(oldest);
      this.#size -= length;
    }
  }
}

const memories = new WeakMap<Blobs, ManifestMemory>();

export function memoryOf(blobs: Blobs): ManifestMemory {
  const memory = memories.get(blobs) ?? new ManifestMemory();
  memories.set(blobs, memory);
  return memory;
}
