import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import type { CareRun, Finding } from '../../../shared/model/care-run.ts';
import { azureBlobs } from '../../../shared/state/blobs.azure.ts';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import { until } from '../../support/conditions.ts';
import { testImage } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from '../functions-host/start-host.ts';

/** Garbage collection as the function app does it: through the real library, by the embedded host, which is killed meanwhile. */
let storage: TestStorage;
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
    fileURLToPath(new URL('./care-app', import.meta.url)),
  );
beforeAll(async () => {
  storage = await startTestStorage();
  host = await start();
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
});

async function ask<T>(method: string, path: string): Promise<T> {
  const answer = await fetch(`${host.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}\n${host.errors()}`);
  return JSON.parse(text) as T;
}
const look = ({ run }: CareRun) =>
  ask<{ run: CareRun; findings: Finding[] }>('GET', `/api/v1/registry/gc/runs/${run}`);
async function ended(run: CareRun): Promise<CareRun> {
  let state = run;
  await until('the run has ended', async () => {
    state = (await look(run)).run;
    return state.state !== 'going';
  });
  return state;
}

test('a dry run tells and changes nothing; a run that kill -9 cuts off goes on where it was', async () => {
  const blobs = azureBlobs(storage.blobUri, 'registry', storage.credential);
  const tables = azureTables(storage.tableUri, storage.credential);
  const client = registryClient((await testRegistry({ blobs, tables })).handle);
  const images = Array.from({ length: 12 }, () => testImage([randomBytes(200)]));
  for (const [number, made] of images.entries())
    await client.pushImage(`app-${number % 3}`, `v${number}`, made);
  for (const [number, { manifest }] of images.entries())
    if (number >= 3) await client.request('DELETE', `/v2/app-${number % 3}/manifests/${manifest.digest}`);

  const count = async (prefix: string): Promise<number> => (await blobs.page(prefix)).blobs.length;
  const dry = await ended(await ask<CareRun>('POST', '/run-ahead/gc/9?dryRun=true'));
  // Of nine images: manifest and tag as deleted, links, manifest, pointers and data of configuration and layer.
  expect(dry).toMatchObject({ state: 'done', totals: { found: 9 * (2 + 2 + 1 + 2 + 2) } });
  expect([await count('manifests/'), await count('blobs/'), await count('data/')]).toEqual([12, 24, 24]);

  const run = await ask<CareRun>('POST', '/run-ahead/gc/9');
  await until('something was found', async () => (await look(run)).findings.length > 0);
  host.process.kill('SIGKILL');
  host = await start();
  expect(await ended(run)).toMatchObject({ state: 'done', dryRun: false });
  expect([await count('manifests/'), await count('blobs/'), await count('data/')]).toEqual([3, 6, 24]);

  expect(await ended(await ask<CareRun>('POST', '/run-ahead/gc/10'))).toMatchObject({
    state: 'done',
    totals: { found: 18, freed: dry.totals.later },
  });
  expect([await count('data/'), await count('gc/')]).toEqual([6, 0]);
  for (const [number, { blobs: named }] of images.slice(0, 3).entries())
    for (const { digest } of named)
      expect((await client.request('GET', `/v2/app-${number}/blobs/${digest}`)).status).toBe(200);
  const { runs } = await ask<{ runs: CareRun[] }>('GET', '/api/v1/registry/gc/runs');
  expect(runs.map(({ state, dryRun }) => [state, dryRun])).toEqual([
    ['done', false],
    ['done', false],
    ['done', true],
  ]);
});
