import { expect, test } from 'vitest';
import type { Digest } from '../../../shared/model/image.ts';
import { memoryOf } from '../../../shared/registry/manifest-memory.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';

const digest = (n: number): Digest => `sha256:${String(n).padStart(64, '0')}` as Digest;

test('what was used longest ago is forgotten first, and what is large at once', () => {
  const memory = memoryOf(memoryBlobs());
  const manifest = new Uint8Array(64 * 1024);
  for (let n = 0; n < 64; n += 1) memory.add(digest(n), manifest);
  expect(memory.get(digest(0))).toBe(manifest);
  memory.add(digest(64), manifest);
  expect(memory.get(digest(0))).toBe(manifest);
  expect(memory.get(digest(1))).toBeUndefined();
  memory.add(digest(65), new Uint8Array(64 * 1024 + 1));
  expect(memory.get(digest(65))).toBeUndefined();
});

test('each storage has a memory of its own', () => {
  const [one, other] = [memoryBlobs(), memoryBlobs()];
  memoryOf(one).add(digest(1), new Uint8Array(1));
  expect(memoryOf(one).get(digest(1))).toHaveLength(1);
  expect(memoryOf(other).get(digest(1))).toBeUndefined();
});
