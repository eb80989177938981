import { randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import { BLOCK } from '../../../shared/registry/block-buffers.ts';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import { testImage } from '../../support/oci-image.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from '../functions-host/start-host.ts';

/** The registry as the function app serves it: through the real library, by the embedded host. */
let storage: TestStorage;
let host: TestHost;
let token: string;
beforeAll(async () => {
  const key = makeKey('admin');
  storage = await startTestStorage();
  host = await startTestHost(
    storage,
    {
      ServiceBus__fullyQualifiedNamespace: 'test.servicebus.windows.net',
      AZURE_SUBSCRIPTION_ID: randomUUID(),
      AZURE_TENANT_ID: randomUUID(),
      BERTH_TOKEN_AUTHORITY: 'https://authority.test',
      BERTH_RESOURCE_GROUP: 'test',
      BERTH_LOCATION: 'test',
      BERTH_APP_NETWORK: '10.0.0.0/24',
      BERTH_MASTER_KEY: randomBytes(32).toString('base64'),
      BERTH_ADMIN_KEY_SHA256: hashKey(key),
    },
    fileURLToPath(new URL('./app', import.meta.url)),
  );
  const answer = await fetch(`${host.origin}/v2/token?scope=repository:a/b:*`, {
    headers: { authorization: `Basic ${btoa(`x:${key}`)}` },
  });
  token = ((await answer.json()) as { token: string }).token;
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
});

const call = (method: string, path: string, init: RequestInit = {}) =>
  fetch(`${host.origin}${path}`, {
    ...init,
    method,
    redirect: 'manual',
    headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
  });

test('a push streams in, HEAD keeps its length, a large blob is redirected to, and the event is accepted', async () => {
  const image = testImage([randomBytes(BLOCK + 100_000), randomBytes(100)]);
  for (const { digest, bytes } of image.blobs) {
    const started = await call('POST', '/v2/a/b/blobs/uploads/');
    expect(started.status).toBe(202);
    const location = started.headers.get('location') ?? '';
    // As docker sends it: in pieces, with no length given.
    const body = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    const patch = await call('PATCH', location, { body, duplex: 'half' });
    expect([patch.status, patch.headers.get('range')]).toEqual([202, `0-${bytes.length - 1}`]);
    expect((await call('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    const head = await call('HEAD', `/v2/a/b/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    const got = await call('GET', `/v2/a/b/blobs/${digest}`);
    const content = got.status === 307 ? await fetch(got.headers.get('location') ?? '') : got;
    expect(Buffer.from(await content.arrayBuffer())).toEqual(Buffer.from(bytes));
  }
  const { manifest } = image;
  const pushed = await call('PUT', '/v2/a/b/manifests/v1', {
    body: manifest.bytes as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': manifest.mediaType },
  });
  expect(pushed.status).toBe(201);
  const head = await call('HEAD', '/v2/a/b/manifests/v1');
  expect(head.headers.get('docker-content-digest')).toBe(manifest.digest);
  expect(head.headers.get('content-length')).toBe(String(manifest.bytes.length));

  const tables = azureTables(storage.tableUri, storage.credential);
  const rows = async (table: string, from: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { partition, row } of tables.list(table, {}))
      if (row.startsWith(from)) found.push(partition);
    return found;
  };
  expect(await rows('events', 'e!')).toEqual(['registry=2Fa=2Fb']);
  expect(await rows('registry', 'e!')).toEqual([]);
});

test('the realm has the host that the client named', async () => {
  const sent = request(`${host.origin}/v2/`, { headers: { host: 'registry.example:5000' } });
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject).end();
  });
  await text(answer);
  expect(answer.headers['www-authenticate']).toContain('//registry.example:5000/v2/token"');
});
