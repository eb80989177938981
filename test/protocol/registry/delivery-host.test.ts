import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import { verifyStandardWebhook } from '../../../shared/events/standard-webhooks.ts';
import { azureBlobs } from '../../../shared/state/blobs.azure.ts';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import { until } from '../../support/conditions.ts';
import { testImage } from '../../support/oci-image.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from '../functions-host/start-host.ts';

/** Deliveries as the function app makes them: through the real library, by the embedded host, which is killed meanwhile. */
let storage: TestStorage;
let receiver: Receiver;
let host: TestHost;
const key = makeKey('admin');
const masterKey = randomBytes(32).toString('base64');

const start = (): Promise<TestHost> =>
  startTestHost(
    storage,
    {
      ServiceBus__fullyQualifiedNamespace: 'test.servicebus.windows.net',
      AZURE_SUBSCRIPTION_ID: randomUUID(),
      AZURE_TENANT_ID: randomUUID(),
      BERTH_TOKEN_AUTHORITY: 'https://authority.test',
      BERTH_RESOURCE_GROUP: 'test',
      BERTH_LOCATION: 'test',
      BERTH_APP_NETWORK: '10.0.0.0/24',
      BERTH_MASTER_KEY: masterKey,
      BERTH_ADMIN_KEY_SHA256: hashKey(key),
    },
    fileURLToPath(new URL('./deliveries-app', import.meta.url)),
  );
beforeAll(async () => {
  storage = await startTestStorage();
  receiver = await startReceiver();
  host = await start();
});
afterAll(async () => {
  await host?.stop();
  await receiver?.close();
  await storage?.stop();
});

const api = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${host.origin}/api/v1/registry/subscriptions${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}\n${host.errors()}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
};

async function push(tag: string): Promise<void> {
  const { manifest, blobs } = testImage([randomBytes(100)]);
  const issued = await fetch(`${host.origin}/v2/token?scope=repository:a/b:pull,push`, {
    headers: { authorization: `Basic ${btoa(`x:${key}`)}` },
  });
  const { token } = (await issued.json()) as { token: string };
  const send = async (method: string, path: string, body: Uint8Array, type: string) => {
    const answer = await fetch(`${host.origin}/v2/a/b/${path}`, {
      method,
      body: body as Uint8Array<ArrayBuffer>,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
    });
    expect(answer.status).toBe(201);
  };
  for (const { digest, bytes } of blobs)
    await send('POST', `blobs/uploads/?digest=${digest}`, bytes, 'application/octet-stream');
  await send('PUT', `manifests/${tag}`, manifest.bytes, manifest.mediaType);
}
const subjects = () =>
  receiver.received.map(({ body }) => (JSON.parse(body.toString()) as { subject: string }).subject);

test('events come in order, over failures and kill -9; what a killed request left is found', async () => {
  const sink = { kind: 'webhook', url: receiver.url, allowHttp: true, allowPrivate: true };
  const { secret } = await api('PUT', '/ci', { repositories: ['a/**'], actions: ['push'], sink });
  expect(await api('POST', '/ci/test')).toEqual({ accepted: true, answer: '204' });
  const [ping] = receiver.received.splice(0);
  expect(JSON.parse(ping!.body.toString())).toMatchObject({ type: 'dev.berth.registry.ping' });

  await push('one');
  await until('the first event is there', () => subjects().length === 1);

  // In the midst of a pause between attempts the host dies.
  receiver.behave((_request, response) => void response.writeHead(503).end('not now'));
  await push('two');
  await push('three');
  await until('an attempt has failed', async () => {
    const { waiting } = await api('GET', '/ci');
    return (waiting as { failures: number }[])[0]?.failures === 1;
  });
  host.process.kill('SIGKILL');
  receiver.behave((_request, response) => void response.writeHead(204).end());
  const before = receiver.received.length;

  // A push whose request was killed after its transaction: nobody was told of it.
  const tables = azureTables(storage.tableUri, storage.credential);
  const blobs = azureBlobs(storage.blobUri, 'registry', storage.credential);
  const killed = await testRegistry(
    { tables, blobs },
    {
      onActivity: async () => {
        throw new Error('killed');
      },
    },
  );
  await registryClient(killed.handle).pushImage('a/b', 'four', testImage([randomBytes(100)]));
  expect(killed.reports).toHaveLength(1);

  host = await start();
  await until('all are there', () => receiver.received.length - before >= 3, 60);
  expect(subjects()).toEqual(['one', 'two', 'two', 'three', 'four']);
  for (const { headers, body } of receiver.received) {
    const of = (name: string) => (headers[name] as string | undefined) ?? null;
    await verifyStandardWebhook(of, body, [String(secret)], new Date());
  }
  await until('nothing waits any more', async () => {
    const { waiting, deadLetters } = await api('GET', '/ci');
    return (waiting as unknown[]).length === 0 && deadLetters === 0;
  });
});

test('a replay ends the pause: what waits is tried at once', async () => {
  receiver.received.splice(0);
  let failures = 0;
  receiver.behave((_request, response) => {
    failures += 1;
    response.writeHead(failures > 1 ? 204 : 429, { 'retry-after': '3000' }).end();
  });
  await push('five');
  await until('an attempt has failed', async () => {
    const { waiting } = await api('GET', '/ci');
    return (waiting as { failures: number }[])[0]?.failures === 1;
  });
  expect(await api('POST', '/ci/replay', { ids: [] })).toEqual({ replayed: 0 });
  await until('it is there', () => receiver.received.length === 2);
  expect(subjects()).toEqual(['five', 'five']);
});
