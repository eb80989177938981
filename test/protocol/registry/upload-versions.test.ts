import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Two processes on one storage: each remembers uploads as it saved them itself. */
async function twoRegistries() {
  const storage = await registryStorages.memory();
  // Another object with the same blobs is another process's: what is remembered hangs on it.
  const other = { ...storage, blobs: { ...storage.blobs } };
  const [one, two] = await Promise.all([testRegistry(storage), testRegistry(other)]);
  return [registryClient(one.handle).request, registryClient(two.handle).request] as const;
}

const next = (answer: Response): string => answer.headers.get('location') ?? '';

test('an upload that another process went on with is ended as that left it', async () => {
  const [one, two] = await twoRegistries();
  const [first, second, third] = [randomBytes(1000), randomBytes(500), randomBytes(10)];
  const begun = await one('POST', '/v2/a/b/blobs/uploads/');
  const begun1 = await one('PATCH', next(begun), { body: first, headers: { 'content-range': '0-999' } });
  const begun2 = await two('PATCH', next(begun1), {
    body: second,
    headers: { 'content-range': '1000-1499' },
  });
  expect(begun2.status).toBe(202);
  const digest = digestOf(Buffer.concat([first, second, third]));
  expect((await one('PUT', `${next(begun2)}?digest=${digest}`, { body: third })).status).toBe(201);
  const found = await two('GET', `/v2/a/b/blobs/${digest}`);
  expect(digestOf(new Uint8Array(await found.arrayBuffer()))).toBe(digest);
});

test('who comes with an address that is out of date goes on nowhere and is told where the upload stands', async () => {
  const [one, two] = await twoRegistries();
  const begun = await one('POST', '/v2/a/b/blobs/uploads/');
  const went = await two('PATCH', next(begun), {
    body: randomBytes(500),
    headers: { 'content-range': '0-499' },
  });
  expect(went.status).toBe(202);
  const late = await one('PATCH', next(begun), {
    body: randomBytes(100),
    headers: { 'content-range': '0-99' },
  });
  expect([late.status, late.headers.get('range')]).toEqual([416, '0-499']);
});

test('an upload that was cancelled takes nothing more, also under an address that is remembered', async () => {
  const [one] = await twoRegistries();
  const begun = await one('POST', '/v2/a/b/blobs/uploads/');
  expect((await one('DELETE', next(begun))).status).toBe(204);
  expect((await one('PATCH', next(begun), { body: randomBytes(100) })).status).toBe(404);
});

test('an address without its version is as good', async () => {
  const [one] = await twoRegistries();
  const bytes = randomBytes(100);
  const path = next(await one('POST', '/v2/a/b/blobs/uploads/')).split('~')[0] ?? '';
  expect((await one('PUT', `${path}?digest=${digestOf(bytes)}`, { body: bytes })).status).toBe(201);
});
