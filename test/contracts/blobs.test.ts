import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { BlobConflict, type BlobInfo, type Blobs } from '../../shared/state/blobs.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage();
});
afterAll(() => storage?.stop());

let containers = 0;
describe.each<{ name: string; make: () => Blobs }>([
  { name: 'memory', make: () => memoryBlobs() },
  {
    name: 'Azurite',
    make: () => {
      containers += 1;
      return azureBlobs(storage.blobUri, `container${containers}`, storage.credential);
    },
  },
])('$name', ({ make }) => {
  const bytes = (value: string) => new TextEncoder().encode(value);
  const id = (number: number) => Buffer.from(String(number).padStart(6, '0')).toString('base64');
  const all = async (blobs: Blobs, prefix: string) => {
    const found: BlobInfo[] = [];
    for await (const info of blobs.list(prefix)) found.push(info);
    return found;
  };

  test('nothing is there before the first write', async () => {
    const blobs = make();
    expect(await blobs.head('a')).toBeUndefined();
    expect(await blobs.read('a')).toBeUndefined();
    expect(await blobs.open('a')).toBeUndefined();
    expect(await blobs.delete('a')).toBe(false);
    expect(await all(blobs, '')).toEqual([]);
    await expect(blobs.setMetadata('a', {})).rejects.toThrow(BlobConflict);
  });

  test('pages go on where the one before ended', { timeout: 120_000 }, async () => {
    const blobs = make();
    expect(await blobs.page('p/')).toEqual({ blobs: [] });
    const names = Array.from({ length: 1001 }, (_, number) => `p/${String(number).padStart(4, '0')}`);
    const rest = [...names, 'q/other'].values();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const name of rest) await blobs.put(name, bytes(''), { metadata: { name: name.slice(2) } });
      }),
    );
    const first = await blobs.page('p/');
    const second = await blobs.page('p/', first.next);
    expect([first.blobs.length, second.blobs.length, second.next]).toEqual([1000, 1, undefined]);
    expect([...first.blobs, ...second.blobs].map(({ name }) => name)).toEqual(names);
    expect(first.blobs[7]).toEqual(await blobs.head('p/0007'));
  });

  test('what was put is read whole, in part and by its URL', async () => {
    const blobs = make();
    const name = 'library/busy box/ä+%?#';
    const info = await blobs.put(name, bytes('hello world'), { metadata: { kind: 'greeting' } });
    expect(info).toMatchObject({ name, size: 11, metadata: { kind: 'greeting' } });
    expect(await blobs.head(name)).toEqual(
      expect.objectContaining({ etag: info.etag, size: 11, metadata: { kind: 'greeting' } }),
    );
    const read = await blobs.read(name);
    expect(Buffer.from(read!.bytes).toString()).toBe('hello world');
    expect(read!.info.etag).toBe(info.etag);
    const whole = await blobs.open(name);
    expect(await text(whole!.stream)).toBe('hello world');
    const part = await blobs.open(name, { offset: 6, count: 3 });
    expect(part!.info).toMatchObject({ size: 11, etag: info.etag });
    expect(await text(part!.stream)).toBe('wor');
    expect(await text((await blobs.open(name, { offset: 6 }))!.stream)).toBe('world');
    await expect(blobs.open(name, { offset: 11 })).rejects.toThrow(RangeError);
    expect(await (await fetch(await blobs.readUrl(name, 60))).text()).toBe('hello world');
  });

  test('an empty blob is a blob', async () => {
    const blobs = make();
    expect(await blobs.put('empty', bytes(''))).toMatchObject({ size: 0 });
    expect((await blobs.read('empty'))!.bytes).toHaveLength(0);
    expect(await text((await blobs.open('empty'))!.stream)).toBe('');
  });

  test('conditions guard every write', async () => {
    const blobs = make();
    const first = await blobs.put('a', bytes('1'), { ifNoneMatch: '*' });
    await expect(blobs.put('a', bytes('2'), { ifNoneMatch: '*' })).rejects.toThrow(BlobConflict);
    const second = await blobs.put('a', bytes('2'), { ifMatch: first.etag });
    expect(second.etag).not.toBe(first.etag);
    await expect(blobs.put('a', bytes('3'), { ifMatch: first.etag })).rejects.toThrow(BlobConflict);
    await expect(blobs.setMetadata('a', {}, { ifMatch: first.etag })).rejects.toThrow(BlobConflict);
    await expect(blobs.delete('a', { ifMatch: first.etag })).rejects.toThrow(BlobConflict);
    await expect(blobs.put('none', bytes('3'), { ifMatch: first.etag })).rejects.toThrow(BlobConflict);
    expect(Buffer.from((await blobs.read('a'))!.bytes).toString()).toBe('2');
    expect(await blobs.delete('a', { ifMatch: second.etag })).toBe(true);
    expect(await blobs.head('a')).toBeUndefined();
  });

  test('of many who make the same blob one succeeds', async () => {
    const blobs = make();
    await blobs.put('other', bytes(''));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => blobs.put('a', bytes(String(index)), { ifNoneMatch: '*' })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('blocks make a blob in the order of the commit', async () => {
    const blobs = make();
    await blobs.stageBlock('a', id(2), bytes('two'));
    await blobs.stageBlock('a', id(1), bytes('one'));
    await blobs.stageBlock('a', id(3), bytes('three'));
    expect(await blobs.head('a')).toBeUndefined();
    const info = await blobs.commitBlocks('a', [id(1), id(2)], { metadata: { kind: 'x' }, ifNoneMatch: '*' });
    expect(info).toMatchObject({ name: 'a', size: 6, metadata: { kind: 'x' } });
    expect(Buffer.from((await blobs.read('a'))!.bytes).toString()).toBe('onetwo');
    await blobs.stageBlock('a', id(4), bytes('four'));
    await expect(blobs.commitBlocks('a', [id(4)], { ifNoneMatch: '*' })).rejects.toThrow(BlobConflict);
    await expect(blobs.commitBlocks('a', [id(9)])).rejects.toThrow();
    expect((await blobs.commitBlocks('a', [id(4)], { ifMatch: info.etag })).size).toBe(4);
  });

  test('setMetadata touches: a new ETag, the same bytes', async () => {
    const blobs = make();
    const before = await blobs.put('a', bytes('hello'), { metadata: { one: '1' } });
    const after = await blobs.setMetadata('a', { two: '2' }, { ifMatch: before.etag });
    expect(after).toMatchObject({ size: 5, metadata: { two: '2' } });
    expect(after.etag).not.toBe(before.etag);
    expect(after.modifiedAt.getTime()).toBeGreaterThanOrEqual(before.modifiedAt.getTime());
    expect(await blobs.head('a')).toMatchObject({ etag: after.etag, metadata: { two: '2' }, size: 5 });
  });

  test('a listing is sorted, by prefix, and carries what head tells', async () => {
    const blobs = make();
    for (const name of ['b/2', 'a/1', 'b/1', 'b/10', 'c'])
      await blobs.put(name, bytes(name), { metadata: { was: name } });
    const found = await all(blobs, 'b/');
    expect(found.map(({ name }) => name)).toEqual(['b/1', 'b/10', 'b/2']);
    expect(found[1]).toEqual(await blobs.head('b/10'));
  });
});
