import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Digest, RepositoryName } from '../../../shared/model/image.ts';
import { PolicyName } from '../../../shared/model/names.ts';
import { type Begun, beginDirect } from '../../../shared/registry/direct/begin.ts';
import { commitDirect } from '../../../shared/registry/direct/commit.ts';
import { findDirect } from '../../../shared/registry/direct/session.ts';
import { RegistryError } from '../../../shared/registry/errors.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { memoryBlobs } from '../../../shared/state/blobs.memory.ts';
import { sha256 } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const BLOCK = 8 * 1024 * 1024;
const repository = RepositoryName.parse('direct/a');
type Open = Extract<Begun, { status: 'open' }>;

let storage: RegistryStorage;
let registry: TestRegistry;
beforeAll(async () => {
  storage = await registryStorages.azurite();
  registry = await testRegistry(storage);
});
afterAll(() => storage?.stop());

const digestOf = (bytes: Uint8Array) => Digest.parse(sha256(bytes));
const begin = async (bytes: Uint8Array, id?: string, digest = digestOf(bytes)): Promise<Open> => {
  const begun = await beginDirect(registry.deps, { repository, digest, size: bytes.length }, id);
  if (begun.status !== 'open') throw new Error(begun.status);
  return begun;
};
const stage = async ({ url, missing }: Open, bytes: Uint8Array): Promise<void> => {
  for (const { id, offset, size } of missing) {
    const body = bytes.slice(offset, offset + size);
    const answer = await fetch(`${url}&comp=block&blockid=${encodeURIComponent(id)}`, {
      method: 'PUT',
      body,
    });
    expect(answer.status).toBe(201);
  }
};
const commit = async ({ id }: Open, ...slice: [{ bytes: number; milliseconds: number }?]) =>
  commitDirect(registry.deps, (await findDirect(storage.blobs, id))!, ...slice);
const read = async (bytes: Uint8Array): Promise<Uint8Array> => {
  const path = `/v2/${repository}/blobs/${digestOf(bytes)}`;
  const answer = await registryClient(registry.handle).request('GET', path);
  const location = answer.headers.get('location');
  return location === null ? answer.bytes() : (await fetch(location)).bytes();
};
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof RegistryError ? error.code : String(error)),
  );
const blobsIn = async (prefix: string): Promise<number> => {
  let count = 0;
  for await (const _ of storage.blobs.list(prefix)) count += 1;
  return count;
};

describe('a direct upload', () => {
  test('stages blocks, is committed, and is pulled; a second one finds it there', async () => {
    const bytes = randomBytes(2 * BLOCK + 1000);
    const begun = await begin(bytes);
    expect(begun.missing.map(({ size }) => size)).toEqual([BLOCK, BLOCK, 1000]);
    await stage(begun, bytes);
    expect(await commit(begun)).toEqual({ status: 'done' });
    expect(Buffer.compare(await read(bytes), bytes)).toBe(0);
    expect(
      await beginDirect(registry.deps, { repository, digest: digestOf(bytes), size: bytes.length }),
    ).toEqual({ status: 'exists' });
    expect(await blobsIn('uploads/')).toBe(0);
  });

  test('goes on where it was broken off', async () => {
    const bytes = randomBytes(3 * BLOCK);
    const begun = await begin(bytes);
    await stage({ ...begun, missing: begun.missing.slice(1, 2) }, bytes);
    expect(await codeOf(commit(begun))).toBe('BLOB_UPLOAD_INVALID');
    const again = await begin(bytes, begun.id);
    expect(again).toMatchObject({ id: begun.id, missing: [begun.missing[0], begun.missing[2]] });
    // Another's content cannot be put under it.
    expect((await begin(randomBytes(3 * BLOCK), begun.id)).id).not.toBe(begun.id);
    await stage(again, bytes);
    expect(await commit(again)).toEqual({ status: 'done' });
  });

  test('is verified slice by slice, each a request of its own', async () => {
    const bytes = randomBytes(BLOCK + 5);
    const begun = await begin(bytes);
    await stage(begun, bytes);
    const slice = { bytes: 3_000_000, milliseconds: 60_000 };
    expect(await commit(begun, slice)).toEqual({
      status: 'verifying',
      verified: 3_000_000,
      size: bytes.length,
    });
    expect(await begin(bytes, begun.id)).toMatchObject({ missing: [] });
    expect(await commit(begun, slice)).toMatchObject({ verified: 6_000_000 });
    expect(await commit(begun, slice)).toEqual({ status: 'done' });
    expect(Buffer.compare(await read(bytes), bytes)).toBe(0);
  });

  test('may be committed by many at once', async () => {
    const bytes = randomBytes(BLOCK + 7);
    const begun = await begin(bytes);
    await stage(begun, bytes);
    const upload = (await findDirect(storage.blobs, begun.id))!;
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => commitDirect(registry.deps, upload)));
    expect(outcomes).toContainEqual({ status: 'done' });
    expect(Buffer.compare(await read(bytes), bytes)).toBe(0);
  });

  test('of other content than its digest is refused, and leaves nothing', async () => {
    const bytes = randomBytes(1000);
    const other = randomBytes(1000);
    const [data, uploads] = [await blobsIn('data/'), await blobsIn('uploads/')];
    const begun = await begin(bytes);
    await stage(begun, other);
    expect(await codeOf(commit(begun))).toBe('DIGEST_INVALID');
    expect([await blobsIn('data/'), await blobsIn('uploads/')]).toEqual([data, uploads]);
    expect((await begin(bytes)).missing).toHaveLength(1);
  });

  test('that the client puts together itself is refused', async () => {
    const bytes = randomBytes(1000);
    const begun = await begin(bytes);
    await stage(begun, bytes);
    const list = `<BlockList><Latest>${begun.missing[0]!.id}</Latest></BlockList>`;
    const headers = { 'x-ms-blob-content-encoding': 'gzip' };
    const made = await fetch(`${begun.url}&comp=blocklist`, { method: 'PUT', body: list, headers });
    expect(made.status).toBe(201);
    expect(await codeOf(commit(begun))).toBe('BLOB_UPLOAD_INVALID');
    expect(await storage.blobs.head(`data/${begun.id}`)).toBeUndefined();
  });

  test('is not changed by writes that come after it was verified', async () => {
    const bytes = randomBytes(1000);
    const begun = await begin(bytes);
    await stage(begun, bytes);
    await commit(begun);
    const other = {
      ...begun,
      missing: [{ id: Buffer.from('evil-evil').toString('base64'), offset: 0, size: 9 }],
    };
    await fetch(`${begun.url}&comp=block&blockid=${other.missing[0]!.id}`, { method: 'PUT', body: 'evil' });
    const list = `<BlockList><Latest>${other.missing[0]!.id}</Latest></BlockList>`;
    const put = (more: string, body: string, headers = {}) =>
      fetch(`${begun.url}${more}`, { method: 'PUT', body, headers }).then(({ status }) => status);
    expect(await put('&comp=blocklist', list)).toBe(403);
    expect(await put('', 'evil', { 'x-ms-blob-type': 'BlockBlob' })).toBe(403);
    expect(
      await put('&comp=lease', '', { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0' }),
    ).toBe(403);
    expect(Buffer.compare(await read(bytes), bytes)).toBe(0);
  });

  test('is not changed by a write that was let in before it was verified, and ends after', async () => {
    const bytes = randomBytes(1000);
    const begun = await begin(bytes);
    await stage(begun, bytes);
    const late = Buffer.from('evil-evil').toString('base64');
    await fetch(`${begun.url}&comp=block&blockid=${late}`, { method: 'PUT', body: 'evil' });
    const list = `<BlockList><Latest>${late}</Latest></BlockList>`;
    const { ended, finish } = slowPut(`${begun.url}&comp=blocklist`, list);
    expect(await commit(begun)).toEqual({ status: 'done' });
    finish();
    expect(await ended).toBe(412);
    expect(Buffer.compare(await read(bytes), bytes)).toBe(0);
  });

  test('has no room beyond the quota', async () => {
    const full = RepositoryName.parse('direct/full');
    await policyStore(storage.tables, () => new Date()).put(
      PolicyName.parse('full'),
      RepositoryPolicy.parse({ repositories: full, quota: 100 }),
    );
    const { deps } = await testRegistry(storage);
    const bytes = randomBytes(1000);
    const asked = { repository: full, digest: digestOf(bytes), size: bytes.length };
    expect(await codeOf(beginDirect(deps, asked))).toBe('DENIED');
  });

  test('is none where the storage gives no URL', async () => {
    const { deps } = await testRegistry({ blobs: memoryBlobs(), tables: storage.tables });
    const bytes = randomBytes(10);
    expect(await beginDirect(deps, { repository, digest: digestOf(bytes), size: 10 })).toEqual({
      status: 'indirect',
    });
  });

  test('is no upload of the protocol', async () => {
    const begun = await begin(randomBytes(10));
    const answer = await registryClient(registry.handle).request(
      'GET',
      `/v2/${repository}/blobs/uploads/${begun.id}`,
    );
    expect(answer.status).toBe(404);
  });
});

/** A PUT whose headers and first half are sent at once, and whose rest when told. */
function slowPut(url: string, body: string): { ended: Promise<number>; finish: () => void } {
  const outgoing = request(url, { method: 'PUT', headers: { 'content-length': String(body.length) } });
  const ended = new Promise<number>((resolve, reject) => {
    outgoing.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on('error', reject);
  });
  outgoing.write(body.slice(0, 10));
  return { ended, finish: () => void outgoing.end(body.slice(10)) };
}
