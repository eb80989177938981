import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BLOCK, BlockWriter } from '../../../shared/registry/block-writer.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';

test('pieces of any size become blocks that make the same bytes', async () => {
  const blobs = memoryBlobs();
  const bytes = randomBytes(2 * BLOCK + 3);
  const writer = new BlockWriter(blobs, 'data');
  for (let at = 0; at < bytes.length; at += 1_000_003) await writer.write(bytes.subarray(at, at + 1_000_003));
  await writer.end();
  expect(writer.ids).toHaveLength(3);
  expect(new Set(writer.ids.map((id) => id.length))).toEqual(new Set([16]));
  await blobs.commitBlocks('data', writer.ids);
  expect(bytes.equals((await blobs.read('data'))!.bytes)).toBe(true);
});

test('two attempts at one blob name no block alike', async () => {
  const blobs = memoryBlobs();
  const writers = [new BlockWriter(blobs, 'data'), new BlockWriter(blobs, 'data')];
  for (const writer of writers) {
    await writer.write(randomBytes(10));
    await writer.end();
  }
  expect(writers[0]!.ids).not.toEqual(writers[1]!.ids);
});

test('at most four blocks are on their way, and the writer waits for room', async () => {
  const waiting: (() => void)[] = [];
  const blobs = { ...memoryBlobs(), stageBlock: () => new Promise<void>((resolve) => waiting.push(resolve)) };
  const writer = new BlockWriter(blobs, 'data');
  let written = 0;
  const block = Buffer.alloc(BLOCK);
  const all = (async () => {
    for (; written < 6; written += 1) await writer.write(block);
    await writer.end();
  })();
  await new Promise((resolve) => setImmediate(resolve));
  expect([waiting.length, written]).toEqual([4, 3]);
  while (written < 6 || waiting.length > 0) {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
});

test('what a block failed with ends the upload', async () => {
  const blobs = { ...memoryBlobs(), stageBlock: () => Promise.reject(new Error('storage is full')) };
  const writer = new BlockWriter(blobs, 'data');
  await writer.write(Buffer.alloc(10));
  await expect(writer.end()).rejects.toThrow('storage is full');
});
