import { createHash, randomBytes } from 'node:crypto';
import type { Digest } from '../../shared/model/image.ts';

export const MB = 1_000_000;
/** Bytes that a sender hands over at once. */
const PART = 1024 * 1024;

const base = randomBytes(8 * PART);

/** Random bytes that no other content has: its head differs, and the rest is the same memory for all. */
export interface Content {
  readonly size: number;
  readonly digest: Digest;
  /** From byte `from` up to `to`, in parts. */
  parts(from?: number, to?: number): Iterable<Buffer>;
}

export function newContent(size: number): Content {
  const head = randomBytes(64);
  function* parts(from = 0, to = size): Iterable<Buffer> {
    for (let at = from; at < to; ) {
      const source = at < head.length ? head : base;
      const offset = at < head.length ? at : (at - head.length) % base.length;
      const part = source.subarray(offset, Math.min(source.length, offset + PART, offset + to - at));
      yield part;
      at += part.length;
    }
  }
  const hash = createHash('sha256');
  for (const part of parts()) hash.update(part);
  return { size, digest: `sha256:${hash.digest('hex')}` as Digest, parts };
}
