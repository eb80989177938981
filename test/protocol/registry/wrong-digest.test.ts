import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';

const wrong = `sha256:${'0'.repeat(64)}`;
/** An upload's id, from its address, which names its version too. */
const idOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).split('~')[0];
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe.each(['memory', 'azurite'] as const)('on %s', (kind) => {
  let storage: RegistryStorage;
  let request: ReturnType<typeof registryClient>['request'];
  beforeAll(async () => {
    storage = await registryStorages[kind]();
    request = registryClient((await testRegistry(storage)).handle).request;
  });
  afterAll(() => storage?.stop());

  const begin = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    const path = (await request('POST', '/v2/a/b/blobs/uploads/')).headers.get('location') ?? '';
    expect((await request('PATCH', path, { body: bytes })).status).toBe(202);
    return path;
  };

  // The last bytes come with the digest: no hash could follow all of them, so they are read once more.
  test('an upload that ended with a wrong digest can be ended with the right one', async () => {
    const [first, last] = [randomBytes(1000), randomBytes(500)];
    const path = await begin(first);
    const digest = digestOf(Buffer.concat([first, last]));
    for (let tries = 0; tries < 2; tries += 1) {
      const refused = await request('PUT', `${path}?digest=${wrong}`, { body: last });
      expect(await refused.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
    }
    expect((await request('PUT', `${path}?digest=${digest}`, { body: last })).status).toBe(201);
    const found = await request('GET', `/v2/a/b/blobs/${digest}`);
    expect(digestOf(new Uint8Array(await found.arrayBuffer()))).toBe(digest);
  });

  test('what is appended after that does not become part of it', async () => {
    const [first, last] = [randomBytes(1000), randomBytes(500)];
    const path = await begin(first);
    await request('PUT', `${path}?digest=${wrong}`, { body: last });
    await request('PATCH', path, { body: randomBytes(10) });
    const digest = digestOf(Buffer.concat([first, last]));
    const answer = await request('PUT', `${path}?digest=${digest}`);
    expect(answer.status).toBe(201);
    const found = await request('HEAD', `/v2/a/b/blobs/${digest}`);
    expect(found.headers.get('content-length')).toBe('1500');
  });

  test('an upload whose blocks are gone is over', async () => {
    const bytes = randomBytes(1000);
    const path = await begin(bytes);
    const data = `data/${idOf(path)}`;
    const staged = await storage.blobs.stagedBlocks(data);
    await storage.blobs.commitBlocks(
      data,
      staged.map(({ id }) => id),
    );
    await storage.blobs.delete(data);
    const answer = await request('PUT', `${path}?digest=${digestOf(bytes)}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] });
  });

  // Its last block and its session are stored together, so a session may have been saved whose block never arrived.
  test('an upload whose last block could not be stored is over', async () => {
    const failing = {
      ...storage.blobs,
      stageBlock: () => Promise.reject(new Error('storage is down for a moment')),
    };
    const other = registryClient((await testRegistry({ ...storage, blobs: failing })).handle).request;
    const path = (await other('POST', '/v2/a/b/blobs/uploads/')).headers.get('location') ?? '';
    expect((await other('PATCH', path, { body: randomBytes(1000) })).status).toBe(500);
    for (const method of ['GET', 'PATCH'])
      expect((await request(method, path, method === 'GET' ? {} : { body: randomBytes(10) })).status).toBe(
        404,
      );
  });

  // The first end claimed nothing, since the same content was there; its process ended before it forgot the session.
  test('an upload that found its content there already can be ended again', async () => {
    const bytes = randomBytes(1000);
    const digest = digestOf(bytes);
    expect((await request('PUT', `${await begin(bytes)}?digest=${digest}`)).status).toBe(201);
    const path = await begin(bytes);
    const session = `uploads/${idOf(path)}`;
    const kept = await storage.blobs.read(session);
    expect((await request('PUT', `${path}?digest=${digest}`)).status).toBe(201);
    await storage.blobs.put(session, kept?.bytes ?? new Uint8Array());
    expect((await request('PUT', `${path}?digest=${digest}`)).status).toBe(201);
  });
});
