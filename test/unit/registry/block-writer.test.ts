import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BLOCK, BlockBuffers } from '../../../shared/registry/block-buffers.ts';
import { BlockWriter } from '../../../shared/registry/block-writer.ts';
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

test('at most six blocks of all writers are on their way, in turns, and a writer waits for room', async () => {
  const waiting: { name: string; resolve: () => void }[] = [];
  const blobs = {
    ...memoryBlobs(),
    stageBlock: (name: string) => new Promise<void>((resolve) => waiting.push({ name, resolve })),
  };
  const buffers = new BlockBuffers();
  const block = Buffer.alloc(BLOCK);
  const all = ['a', 'b'].map(async (name) => {
    const writer = new BlockWriter(blobs, name, buffers);
    for (let written = 0; written < 6; written += 1) await writer.write(block);
    await writer.end();
  });
  const begun: string[] = [];
  for (let arrived = 0; arrived < 12; arrived += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toHaveLength(Math.min(6, 12 - arrived));
    const first = waiting.shift();
    begun.push(first?.name ?? '');
    first?.resolve();
  }
  await Promise.all(all);
  expect(begun.slice(6, 10)).toEqual(['a', 'b', 'a', 'b']);
});

test('what was not sent is forgotten, and its memory serves again', async () => {
  const buffers = new BlockBuffers();
  const writer = new BlockWriter(memoryBlobs(), 'data', buffers);
  await writer.write(randomBytes(10));
  const bytes = writer.whole()?.buffer;
  await writer.abandon();
  expect(buffers.take().buffer).toBe(bytes);
  expect(writer.whole()).toHaveLength(0);
});

test('what a block failed with ends the upload', async () => {
  const blobs = { ...memoryBlobs(), stageBlock: () => Promise.reject(new Error('storage is full')) };
  const writer = new BlockWriter(blobs, 'data');
  await writer.write(Buffer.alloc(10));
  await expect(writer.end()).rejects.toThrow('storage is full');
});
