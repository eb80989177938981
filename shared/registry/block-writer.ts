import { randomBytes } from 'node:crypto';
import type { Blobs } from '../state/blobs.ts';
import { BLOCK, type BlockBuffers, blockBuffers } from './block-buffers.ts';

/**
 * Turns a stream into staged blocks of one blob. When too many are on their way `write` waits, so the sender waits too.
 * Ids are a nonce and a number: another attempt at the same blob never names the same block.
 */
export class BlockWriter {
  readonly ids: string[] = [];
  readonly #blobs: Blobs;
  readonly #name: string;
  readonly #buffers: BlockBuffers;
  readonly #nonce = randomBytes(8);
  readonly #flying = new Set<Promise<void>>();
  /** What is not on its way yet. */
  #buffer: Buffer | undefined;
  #size = 0;
  #failure: unknown;

  constructor(blobs: Blobs, name: string, buffers = blockBuffers) {
    this.#blobs = blobs;
    this.#name = name;
    this.#buffers = buffers;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#buffer ??= this.#buffers.take();
      const part = bytes.subarray(at, at + BLOCK - this.#size);
      this.#buffer.set(part, this.#size);
      this.#size += part.length;
      at += part.length;
      if (this.#size === BLOCK) await this.#send(this.#buffer);
    }
  }

  /** All bytes written, if they are fewer than a block and so none is staged yet; theirs until the next `write` or `end`. */
  whole(): Uint8Array | undefined {
    if (this.ids.length > 0) return undefined;
    return this.#buffer?.subarray(0, this.#size) ?? new Uint8Array(0);
  }

  /** Has what is left on its way: `ids` then names everything. @throws what the first block that failed threw */
  async sendRest(): Promise<void> {
    if (this.#buffer !== undefined && this.#size > 0) await this.#send(this.#buffer);
  }

  /** Stages what is left and waits for all. @throws what the first block that failed threw */
  async end(): Promise<void> {
    await this.sendRest();
    await Promise.all(this.#flying);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Forgets what is not on its way; what is may still arrive, and is of no use to anybody. */
  async abandon(): Promise<void> {
    if (this.#buffer !== undefined) this.#buffers.giveBack(this.#buffer);
    this.#buffer = undefined;
    this.#size = 0;
    await Promise.all(this.#flying);
  }

  async #send(buffer: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const end = await this.#buffers.turn();
    const id = Buffer.alloc(12);
    this.#nonce.copy(id);
    id.writeUInt32BE(this.ids.length, 8);
    const blockId = id.toString('base64');
    this.ids.push(blockId);
    const flight = this.#blobs
      .stageBlock(this.#name, blockId, buffer.subarray(0, this.#size))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#flying.delete(flight);
        this.#buffers.giveBack(buffer);
        end();
      });
    this.#flying.add(flight);
    this.#buffer = undefined;
    this.#size = 0;
  }
}
