import { text } from 'node:stream/consumers';
import { BlobSASPermissions, BlobServiceClient, generateBlobSASQueryParameters } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlobUrls, blobUrls } from '../../shared/state/blob-urls.azure.ts';
import { writeUrls } from '../../shared/state/blob-write-urls.azure.ts';
import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { BlobConflict, type BlobInfo, type Blobs, BlocksGone } from '../../shared/state/blobs.ts';
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
    expect(info).toMatchObject({ name: 'a', metadata: { kind: 'x' } });
    expect(await blobs.head('a')).toMatchObject({ etag: info.etag, size: 6, metadata: { kind: 'x' } });
    expect(Buffer.from((await blobs.read('a'))!.bytes).toString()).toBe('onetwo');
    await blobs.stageBlock('a', id(4), bytes('four'));
    await expect(blobs.commitBlocks('a', [id(4)], { ifNoneMatch: '*' })).rejects.toThrow(BlobConflict);
    await expect(blobs.commitBlocks('a', [id(9)])).rejects.toThrow(BlocksGone);
    await blobs.commitBlocks('a', [id(4)], { ifMatch: info.etag });
    expect((await blobs.head('a'))?.size).toBe(4);
  });

  test('staged blocks are told until they are part of a blob', async () => {
    const blobs = make();
    expect(await blobs.stagedBlocks('a')).toEqual([]);
    await blobs.stageBlock('a', id(1), bytes('one'));
    await blobs.stageBlock('a', id(2), bytes('three'));
    const staged = [...(await blobs.stagedBlocks('a'))].sort((one, other) => one.size - other.size);
    expect(staged).toEqual([
      { id: id(1), size: 3 },
      { id: id(2), size: 5 },
    ]);
    await blobs.commitBlocks('a', [id(1), id(2)]);
    expect(await blobs.stagedBlocks('a')).toEqual([]);
  });

  test('a sealed blob is read, and changed by nobody until its owner opens it', async () => {
    const blobs = make();
    await expect(blobs.seal('a')).rejects.toThrow(BlobConflict);
    const info = await blobs.put('a', bytes('hello'));
    expect(await blobs.seal('a')).toMatchObject({ etag: info.etag, size: 5 });
    expect(await blobs.seal('a')).toMatchObject({ etag: info.etag });
    await expect(blobs.put('a', bytes('other'))).rejects.toThrow(BlobConflict);
    await blobs.stageBlock('b', id(1), bytes('b'));
    await expect(blobs.commitBlocks('a', [])).rejects.toThrow(BlobConflict);
    expect(Buffer.from((await blobs.read('a'))!.bytes).toString()).toBe('hello');
    await blobs.setMetadata('a', { old: 'yes' });
    await blobs.seal('a');
    expect(await blobs.delete('a')).toBe(true);
    expect(await blobs.head('a')).toBeUndefined();
  });

  test('setMetadata touches: a new ETag, the same bytes', async () => {
    const blobs = make();
    const before = await blobs.put('a', bytes('hello'), { metadata: { one: '1' } });
    const after = await blobs.setMetadata('a', { two: '2' }, { ifMatch: before.etag });
    expect(after).toMatchObject({ metadata: { two: '2' } });
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

describe('a URL to write', () => {
  const id = (letter: string) => Buffer.from(letter).toString('base64');
  const block = (url: string, letter: string) =>
    `${url}&comp=block&blockid=${encodeURIComponent(id(letter))}`;
  const list = (letter: string) => `<BlockList><Latest>${id(letter)}</Latest></BlockList>`;
  const put = async (url: string, body: string, headers: Record<string, string> = {}) =>
    (await fetch(url, { method: 'PUT', body, headers })).status;

  test('stages blocks of its blob, and of no other', async () => {
    const blobs = azureBlobs(storage.blobUri, 'writing', storage.credential);
    const url = (await blobs.writeUrl('a', 60))!;
    expect(await put(block(url, 'x'), 'content')).toBe(201);
    expect(await blobs.stagedBlocks('a')).toEqual([{ id: id('x'), size: 7 }]);
    expect(await put(block(url, 'x').replace('/a?', '/b?'), 'content')).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    expect(await all(blobs)).toEqual([]);
  });

  test('changes nothing that is there, and opens nothing that is sealed', async () => {
    const blobs = azureBlobs(storage.blobUri, 'written', storage.credential);
    const url = (await blobs.writeUrl('a', 60))!;
    await put(block(url, 'x'), 'content');
    await blobs.commitBlocks('a', [id('x')]);
    const info = await blobs.seal('a');
    await put(block(url, 'y'), 'other');
    const lease = (action: string) => ({
      'x-ms-lease-action': action,
      ...(action === 'acquire' ? { 'x-ms-lease-duration': '-1' } : { 'x-ms-lease-break-period': '0' }),
    });
    expect(await put(`${url}&comp=blocklist`, list('y'))).toBe(403);
    expect(await put(url, 'other', { 'x-ms-blob-type': 'BlockBlob' })).toBe(403);
    expect(await put(`${url}&comp=metadata`, '', { 'x-ms-meta-a': 'b' })).toBe(403);
    expect(await put(`${url}&comp=lease`, '', lease('break'))).toBe(403);
    expect(await put(`${url}&comp=lease`, '', lease('acquire'))).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await blobs.head('a'))!.etag).toBe(info.etag);
    expect(await blobs.delete('a')).toBe(true);
  });

  test('is not made where its holder could change what is there, or may not stage blocks', async () => {
    const service = new BlobServiceClient(storage.blobUri, storage.credential);
    const container = service.getContainerClient('trial');
    const urls = blobUrls(service, container);
    const more: BlobUrls = async (name, seconds) => {
      const key = await service.getUserDelegationKey(new Date(), new Date(Date.now() + 1000 * seconds));
      const values = {
        containerName: 'trial',
        blobName: name,
        permissions: BlobSASPermissions.parse('w'),
        expiresOn: new Date(Date.now() + 1000 * seconds),
      };
      const signature = generateBlobSASQueryParameters(values, key, service.accountName);
      return `${container.getBlobClient(name).url}?${signature}`;
    };
    expect(await writeUrls(container, urls)('a', 60)).toMatch(/sp=c/);
    expect(await writeUrls(container, more)('a', 60)).toBeUndefined();
    expect(
      await writeUrls(container, (name, seconds) => urls(name, seconds, 'read'))('a', 60),
    ).toBeUndefined();
    expect(await all(azureBlobs(storage.blobUri, 'trial', storage.credential))).toEqual([]);
  });

  async function all(blobs: Blobs): Promise<BlobInfo[]> {
    const found: BlobInfo[] = [];
    for await (const info of blobs.list('')) found.push(info);
    return found;
  }
});
