import { randomBytes } from 'node:crypto';
import type { Blobs } from '../state/blobs.ts';

/** Bytes of a block, and blocks on their way at once: what one upload holds in memory is their product and a block. */
export const BLOCK = 8 * 1024 * 1024;
const IN_FLIGHT = 4;

/**
 * Turns a stream into staged blocks of one blob. A full window makes `write` wait, so the sender waits too.
 * Ids are a nonce and a number: another attempt at the same blob never names the same block.
 */
export class BlockWriter {
  readonly ids: string[] = [];
  readonly #blobs: Blobs;
  readonly #name: string;
  readonly #nonce = randomBytes(8);
  readonly #flying = new Set<Promise<void>>();
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  #failure: unknown;

  constructor(blobs: Blobs, name: string) {
    this.#blobs = blobs;
    this.#name = name;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BLOCK - this.#pendingSize);
      this.#pending.push(part);
      this.#pendingSize += part.length;
      at += part.length;
      if (this.#pendingSize === BLOCK) await this.#flush();
    }
  }

  /** All bytes written, if they are fewer than a block and so none is staged yet. */
  whole(): Uint8Array | undefined {
    return this.ids.length === 0 ? Buffer.concat(this.#pending) : undefined;
  }

  /** Stages what is left and waits for all. @throws what the first block that failed threw */
  async end(): Promise<void> {
    if (this.#pendingSize > 0) await this.#flush();
    await Promise.all(this.#flying);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = Buffer.alloc(12);
    this.#nonce.copy(id);
    id.writeUInt32BE(this.ids.length, 8);
    const blockId = id.toString('base64');
    this.ids.push(blockId);
    const flight = this.#blobs
      .stageBlock(this.#name, blockId, Buffer.concat(this.#pending))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#flying.delete(flight);
      });
    this.#flying.add(flight);
    this.#pending = [];
    this.#pendingSize = 0;
    if (this.#flying.size >= IN_FLIGHT) await Promise.race(this.#flying);
  }
}
