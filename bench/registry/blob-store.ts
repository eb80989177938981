import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { TestStorage } from '../../test/support/storage.ts';
import type { Content } from './content.ts';
import type { Contestant } from './contestant.ts';
import { expectStatus, send } from './http-client.ts';

const BLOCK = 8 * 1024 * 1024;
const IN_FLIGHT = 4;
const VERSION = '2025-11-05';

async function accessTo({ credential }: TestStorage): Promise<Record<string, string>> {
  const token = await credential.getToken('https://storage.azure.com/.default');
  return { authorization: `Bearer ${token?.token}`, 'x-ms-version': VERSION };
}

export async function makeContainer(storage: TestStorage, name: string): Promise<void> {
  const url = new URL(`${storage.blobUri}/${name}?restype=container`);
  const headers = { ...(await accessTo(storage)), 'content-length': '0' };
  expectStatus(await send('PUT', url, headers), 201, 'the container');
}

const md5Of = (parts: Iterable<Buffer>): Record<string, string> => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return { 'content-md5': hash.digest('base64') };
};

/**
 * Put Block and Get Blob on the blob store itself: what nobody who keeps content there can do without.
 * @param checksums whether each block comes with its MD5: Azurite, not told one, makes a CRC64 in JavaScript
 */
export async function blobStore(storage: TestStorage, checksums: boolean): Promise<Contestant> {
  const name = checksums ? 'raw-md5' : 'raw';
  const container = new URL(`${storage.blobUri}/${name}`);
  let headers: Record<string, string> = {};
  const call = async (
    method: string,
    path: string,
    query: Record<string, string> = {},
    body?: { readonly size: number; readonly parts: () => Iterable<Buffer> },
    more: Record<string, string> = {},
  ) => {
    const url = new URL(`${container.href}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const length = method === 'GET' ? {} : { 'content-length': String(body?.size ?? 0) };
    const answer = await send(method, url, { ...headers, ...length, ...more }, body?.parts);
    return expectStatus(answer, method === 'GET' ? 200 : 201, `${method} ${path}`);
  };
  await makeContainer(storage, name);
  const whole = (path: string, size: number, parts: () => Iterable<Buffer>) =>
    call('PUT', path, {}, { size, parts }, { 'x-ms-blob-type': 'BlockBlob' });

  return {
    name: checksums ? 'Put Block with MD5' : 'Put Block and Get Blob',
    ...(checksums ? { only: 'push' } : {}),
    async prepare() {
      headers = await accessTo(storage);
    },
    async push({ digest, size, parts }) {
      const path = `/${digest}`;
      if (size <= BLOCK) {
        await whole(path, size, () => parts());
        return;
      }
      const ids = Array.from({ length: Math.ceil(size / BLOCK) }, () => randomBytes(12).toString('base64'));
      const rest = ids.entries();
      const worker = async (): Promise<void> => {
        for (const [index, blockid] of rest) {
          const [from, to] = [index * BLOCK, Math.min(size, (index + 1) * BLOCK)];
          const block = { size: to - from, parts: () => parts(from, to) };
          await call('PUT', path, { comp: 'block', blockid }, block, checksums ? md5Of(block.parts()) : {});
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
      const list = Buffer.from(
        `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`,
      );
      await call('PUT', path, { comp: 'blocklist' }, { size: list.length, parts: () => [list] });
    },
    async pull({ digest, size }: Content) {
      const answer = await call('GET', `/${digest}`);
      if (answer.size !== size) throw new Error(`${answer.size} bytes came instead of ${size}`);
    },
    async putManifest(tag, manifest) {
      await whole(`/${randomUUID()}-${tag}`, manifest.length, () => [manifest]);
      if (tag === 'latest') await whole('/latest', manifest.length, () => [manifest]);
    },
    async getManifest(tag) {
      await call('GET', `/${tag}`);
    },
    async stop() {},
  };
}
