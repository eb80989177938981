import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BLOCK } from '../../../shared/registry/block-buffers.ts';
import { content, sha256 } from '../../support/oci-image.ts';
import { ORIGIN, type RegistryClient, registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code;
const body = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
const blob = (size: number) => content('application/octet-stream', randomBytes(size));

async function countData({ blobs }: RegistryStorage): Promise<number> {
  let count = 0;
  for await (const _ of blobs.list('data/')) count += 1;
  return count;
}

describe.each(['memory', 'azurite'] as const)('blobs in %s', (kind) => {
  let storage: RegistryStorage;
  let client: RegistryClient;
  beforeAll(async () => {
    storage = await registryStorages[kind]();
    client = registryClient((await testRegistry(storage)).handle);
  });
  afterAll(() => storage?.stop());

  const start = async (query = ''): Promise<string> => {
    const started = await client.request('POST', `/v2/a/b/blobs/uploads/${query}`);
    expect(started.status).toBe(202);
    expect(started.headers.get('range')).toBe('0-0');
    return started.headers.get('location') ?? '';
  };
  const read = (digest: string, headers = {}) =>
    client.request('GET', `/v2/a/b/blobs/${digest}`, { headers });

  test.each([0, 1, 65_536])('%i bytes in one request are answered directly', async (size) => {
    const made = blob(size);
    const location = await start();
    const put = await client.request('PUT', `${location}?digest=${made.digest}`, { body: body(made.bytes) });
    expect(put.status).toBe(201);
    expect(put.headers.get('location')).toBe(`/v2/a/b/blobs/${made.digest}`);
    const got = await read(made.digest);
    expect(got.status).toBe(200);
    expect(got.headers.get('content-length')).toBe(String(size));
    expect(await bytesOf(got)).toEqual(made.bytes);
  });

  test('a streamed body of more than a block is redirected to, and a HEAD tells its size', async () => {
    const made = blob(BLOCK + 12_345);
    const location = await start();
    const patch = await client.request('PATCH', location, {
      body: new Blob([body(made.bytes)]).stream(),
    });
    expect(patch.status).toBe(202);
    expect(patch.headers.get('range')).toBe(`0-${made.bytes.length - 1}`);
    const put = await client.request('PUT', `${location}?digest=${made.digest}`);
    expect(put.status).toBe(201);

    const head = await client.request('HEAD', `/v2/a/b/blobs/${made.digest}`);
    expect(head.headers.get('content-length')).toBe(String(made.bytes.length));
    expect(head.headers.get('docker-content-digest')).toBe(made.digest);
    const redirect = await read(made.digest);
    expect(redirect.status).toBe(307);
    const found = await bytesOf(await fetch(redirect.headers.get('location') ?? ''));
    expect(sha256(found)).toBe(made.digest);
  });

  test('chunks go on where the last ended, others are told where that is', async () => {
    const made = blob(300_000);
    const location = await start();
    const chunk = (from: number, to: number) =>
      client.request('PATCH', location, {
        body: body(made.bytes.subarray(from, to)),
        headers: { 'content-range': `${from}-${to - 1}` },
      });
    expect((await chunk(0, 100_000)).status).toBe(202);
    const early = await chunk(150_000, 200_000);
    expect(early.status).toBe(416);
    expect(early.headers.get('range')).toBe('0-99999');
    // The address is the upload's, and says besides which version of it the answer saw.
    expect(early.headers.get('location')?.split('~')[0]).toBe(location.split('~')[0]);
    const status = await client.request('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-99999']);
    expect((await chunk(100_000, 250_000)).status).toBe(202);
    const put = await client.request('PUT', `${location}?digest=${made.digest}`, {
      body: body(made.bytes.subarray(250_000)),
      headers: { 'content-range': '250000-299999' },
    });
    expect(put.status).toBe(201);
    expect((await client.request('GET', location)).status).toBe(404);
  });

  test('of two chunks at the same place one counts', async () => {
    const made = blob(50_000);
    const location = await start();
    const send = () =>
      client.request('PATCH', location, { body: body(made.bytes), headers: { 'content-range': '0-49999' } });
    const answers = await Promise.all([send(), send()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 416]);
    expect((await client.request('PUT', `${location}?digest=${made.digest}`)).status).toBe(201);
  });

  test('a chunk that breaks off counts as far as it came', async () => {
    const made = blob(100_000);
    const location = await start();
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(made.bytes.subarray(0, 40_000)),
      pull: (controller) => controller.error(new Error('the client is gone')),
    });
    const first = await client.request('PATCH', location, {
      body: broken,
      headers: { 'content-range': '0-99999' },
    });
    expect(first.status).toBe(400);
    expect((await client.request('GET', location)).headers.get('range')).toBe('0-39999');
    const rest = await client.request('PUT', `${location}?digest=${made.digest}`, {
      body: body(made.bytes.subarray(40_000)),
      headers: { 'content-range': '40000-99999' },
    });
    expect(rest.status).toBe(201);
  });

  test('streamed parts without Content-Range are hashed once more at the end', async () => {
    const made = blob(200_000);
    const location = await start();
    for (const [from, to] of [
      [0, 70_000],
      [70_000, 200_000],
    ] as const)
      await client.request('PATCH', location, { body: body(made.bytes.subarray(from, to)) });
    expect((await client.request('PUT', `${location}?digest=${made.digest}`)).status).toBe(201);
    const other = await start();
    await client.request('PATCH', other, { body: body(randomBytes(10)) });
    await client.request('PATCH', other, { body: body(randomBytes(10)) });
    const wrong = await client.request('PUT', `${other}?digest=${made.digest}`);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('what has another digest is refused, and the upload can still be completed', async () => {
    const made = blob(1000);
    const location = await start();
    await client.request('PATCH', location, { body: body(made.bytes) });
    const wrong = await client.request('PUT', `${location}?digest=${sha256('another')}`);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await client.request('PUT', `${location}?digest=${made.digest}`)).status).toBe(201);
  });

  test('the same content again, from two clients at once, is stored once', async () => {
    const made = blob(100_000);
    const before = await countData(storage);
    const answers = await Promise.all([client.pushBlob('a/b', made), client.pushBlob('c/d', made)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(await countData(storage)).toBe(before + 1);
    for (const repository of ['a/b', 'c/d'])
      expect((await client.request('HEAD', `/v2/${repository}/blobs/${made.digest}`)).status).toBe(200);
  });

  test('two requests that complete one upload both succeed', async () => {
    const made = blob(20_000);
    const location = await start();
    await client.request('PATCH', location, { body: body(made.bytes) });
    const put = () => client.request('PUT', `${location}?digest=${made.digest}`);
    const answers = await Promise.all([put(), put()]);
    // The later one may find the upload ended.
    expect(answers.map(({ status }) => status)).toContain(201);
    expect(sha256(await bytesOf(await read(made.digest)))).toBe(made.digest);
  });

  test('a cancelled upload is unknown', async () => {
    const location = await start();
    expect((await client.request('DELETE', location)).status).toBe(204);
    const gone = await client.request('PATCH', location, { body: body(randomBytes(3)) });
    expect([gone.status, await codeOf(gone)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  test('an upload belongs to its repository', async () => {
    const location = (await start()).replace('/a/b/', '/other/');
    expect((await client.request('GET', location)).status).toBe(404);
  });

  test('ranges', async () => {
    const made = blob(1000);
    await client.pushBlob('a/b', made);
    const part = await read(made.digest, { range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/1000']);
    expect(await bytesOf(part)).toEqual(made.bytes.subarray(10, 20));
    expect(await bytesOf(await read(made.digest, { range: 'bytes=-5' }))).toEqual(made.bytes.subarray(995));
    const beyond = await read(made.digest, { range: 'bytes=1000-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
  });

  test('mount takes what the caller may pull elsewhere, and else begins an upload', async () => {
    const made = blob(500);
    await client.pushBlob('mount/from', made);
    const mount = (from: string, digest: string) =>
      client.request('POST', `/v2/mount/to/blobs/uploads/?mount=${digest}&from=${from}`);
    expect((await mount('mount/from', sha256('nothing'))).status).toBe(202);
    expect((await mount('not/there', made.digest)).status).toBe(202);
    expect((await client.request('HEAD', `/v2/mount/to/blobs/${made.digest}`)).status).toBe(404);
    expect((await mount('mount/from', made.digest)).status).toBe(201);
    expect((await client.request('HEAD', `/v2/mount/to/blobs/${made.digest}`)).status).toBe(200);
  });

  test('a deleted blob is gone here and stays elsewhere', async () => {
    const made = blob(500);
    await client.pushBlob('a/b', made);
    await client.pushBlob('c/d', made);
    expect((await client.request('DELETE', `/v2/a/b/blobs/${made.digest}`)).status).toBe(202);
    const gone = await read(made.digest);
    expect([gone.status, await codeOf(gone)]).toEqual([404, 'BLOB_UNKNOWN']);
    expect((await client.request('GET', `/v2/c/d/blobs/${made.digest}`)).status).toBe(200);
  });

  test('the digest says which algorithm', async () => {
    const bytes = randomBytes(100_000);
    const digest = `sha512:${await crypto.subtle.digest('SHA-512', bytes).then((hash) => Buffer.from(hash).toString('hex'))}`;
    const location = await start('?digest-algorithm=sha512');
    for (const [from, to] of [
      [0, 60_000],
      [60_000, 100_000],
    ] as const)
      await client.request('PATCH', location, {
        body: body(bytes.subarray(from, to)),
        headers: { 'content-range': `${from}-${to - 1}` },
      });
    expect((await client.request('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    // Asked for late: hashed with the other algorithm so far.
    const late = await start();
    await client.request('PATCH', late, { body: body(bytes) });
    expect((await client.request('PUT', `${late}?digest=${digest}`)).status).toBe(201);
    expect((await client.request('HEAD', `/v2/a/b/blobs/${digest}`)).status).toBe(200);
  });

  test.each(['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', ''])(
    '"%s" is no digest',
    async (digest) => {
      const location = await start();
      const put = await client.request('PUT', `${location}?digest=${digest}`);
      expect([put.status, await codeOf(put)]).toEqual([400, 'DIGEST_INVALID']);
    },
  );

  test('paths and methods that are none', async () => {
    const handle = (await testRegistry(storage)).handle;
    const nothing = await handle(new Request(`${ORIGIN}/v2/a/b/nothing`));
    expect([nothing.status, await codeOf(nothing)]).toEqual([404, 'NAME_UNKNOWN']);
    const method = await handle(new Request(`${ORIGIN}/v2/a/b/tags/list`, { method: 'POST' }));
    expect([method.status, await codeOf(method)]).toEqual([405, 'UNSUPPORTED']);
    const name = await handle(new Request(`${ORIGIN}/v2/UPPER/tags/list`));
    expect([name.status, await codeOf(name)]).toEqual([400, 'NAME_INVALID']);
  });
});
