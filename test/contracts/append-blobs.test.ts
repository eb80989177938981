import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureAppendBlobs } from '../../shared/logs/append-blobs.azure.ts';
import { memoryAppendBlobs } from '../../shared/logs/append-blobs.memory.ts';
import type { AppendBlobs } from '../../shared/logs/append-blobs.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage();
});
afterAll(() => storage?.stop());

const subjects = {
  simulated: (): AppendBlobs => memoryAppendBlobs(),
  'of Azurite': (): AppendBlobs =>
    azureAppendBlobs(storage.blobUri, `logs-${randomUUID().slice(0, 8)}`, storage.credential),
};
const bytes = (text: string) => Buffer.from(text);
const names = async (listing: AsyncIterable<{ name: string; size: number }>) => {
  const found: string[] = [];
  for await (const { name, size } of listing) found.push(`${name} ${size}`);
  return found;
};

describe.each(Object.entries(subjects))('append blobs, %s', (_, make) => {
  it('append at their end and nowhere else, so that doing it again does nothing', async () => {
    const blobs = make();
    expect(await blobs.append('dev/a', 0, bytes('one\n'))).toBe(4);
    expect(await blobs.append('dev/a', 0, bytes('one\n'))).toBeUndefined();
    expect(await blobs.append('dev/a', 4, bytes('two\n'))).toBe(8);
    expect(await blobs.append('dev/a', 4, bytes('two\n'))).toBeUndefined();
    expect(await blobs.append('dev/none', 4, bytes('x'))).toBeUndefined();
    expect(Buffer.from(await blobs.read('dev/a', 0, 100)).toString()).toBe('one\ntwo\n');
    expect(Buffer.from(await blobs.read('dev/a', 4, 2)).toString()).toBe('tw');
    expect((await blobs.read('dev/a', 8, 10)).length).toBe(0);
    expect((await blobs.read('dev/other', 0, 10)).length).toBe(0);
  });

  it('are listed by name, and their first folders', async () => {
    const blobs = make();
    expect(await names(blobs.list('dev/'))).toEqual([]);
    for (const name of ['dev/s/b', 'dev/s/a', 'prod/s/a']) await blobs.append(name, 0, bytes('x'));
    expect(await names(blobs.list('dev/'))).toEqual(['dev/s/a 1', 'dev/s/b 1']);
    const folders: string[] = [];
    for await (const folder of blobs.folders()) folders.push(folder);
    expect(folders).toEqual(['dev', 'prod']);
    await blobs.remove('dev/s/a');
    await blobs.remove('dev/s/a');
    expect(await names(blobs.list('dev/'))).toEqual(['dev/s/b 1']);
  });
});
