import { createHash } from 'node:crypto';

/** Bytes of a filter: with a million names in it, four in a million others are taken for known. A power of two. */
const BYTES = 4 * 1024 * 1024;

/**
 * A set of names that never grows: a Bloom filter with eight bits a name. It knows every name that was added; some others it
 * takes for known too, which ones depends on the salt. https://en.wikipedia.org/wiki/Bloom_filter
 */
export class MarkFilter {
  readonly bytes: Uint8Array;
  readonly #salt: string;

  constructor(salt: string, bytes: Uint8Array = new Uint8Array(BYTES)) {
    this.#salt = salt;
    this.bytes = bytes;
  }

  add(name: string): void {
    for (const bit of this.#bitsOf(name))
      this.bytes[bit >>> 3] = (this.bytes[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  has(name: string): boolean {
    return this.#bitsOf(name).every((bit) => ((this.bytes[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0);
  }

  /** A digest has eight numbers of 32 bits. */
  #bitsOf(name: string): number[] {
    const hash = createHash('sha256').update(`${this.#salt}\n${name}`).digest();
    const bits = this.bytes.length * 8;
    return Array.from({ length: 8 }, (_, word) => hash.readUInt32BE(word * 4) % bits);
  }
}
