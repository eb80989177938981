import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../shared/auth/api-key.ts';
import { startTestStorage, type TestStorage } from '../support/storage.ts';
import { startTestHost, type TestHost } from './functions-host/start-host.ts';

const checkout = resolve(import.meta.dirname, '../..');

/** What goes to Azure, away from the checkout, where nothing but the package itself can be found. */
let folder: string;
let storage: TestStorage;
let host: TestHost;
const key = makeKey('admin');

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(checkout, 'build/package.ts')], { cwd: checkout });
  folder = mkdtempSync(join(tmpdir(), 'berth-package-'));
  cpSync(join(checkout, 'dist/package'), folder, { recursive: true });
  storage = await startTestStorage();
  host = await startTestHost(
    storage,
    {
      ServiceBus__fullyQualifiedNamespace: 'localhost',
      ServiceBus__customEndpointAddress: 'https://localhost:9',
      AZURE_SUBSCRIPTION_ID: randomUUID(),
      AZURE_TENANT_ID: randomUUID(),
      BERTH_TASK_HUB: 'Packaged',
      BERTH_TOKEN_AUTHORITY: 'https://authority.test',
      BERTH_RESOURCE_GROUP: 'test',
      BERTH_LOCATION: 'test',
      BERTH_APP_NETWORK: '10.0.0.0/24',
      BERTH_MASTER_KEY: randomBytes(32).toString('base64'),
      BERTH_ADMIN_KEY_SHA256: hashKey(key),
    },
    folder,
  );
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test('the package holds the programming model once, and serves the app', async () => {
  expect(readdirSync(join(folder, 'node_modules/@azure'))).toContain('functions');
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  expect(found.filter((path) => /@azure\/functions\/package\.json$/.test(path)).length).toBe(1);

  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${host.origin}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });
  expect((await call('/api/v1/status')).status).toBe(200);
  expect((await fetch(`${host.origin}/v2/`)).status).toBe(401);
  const deployed = await call('/api/v1/environments/dev/applications/hello', {
    method: 'PUT',
    headers: { 'content-type': 'application/yaml' },
    body: 'name: hello\nservices:\n  web:\n    image: hello/web\n    port: 80\n',
  });
  expect(deployed.status).toBe(202);
  const { service } = (await (await call('/api/v1/environments/dev/services/hello/web')).json()) as {
    service: { rollout: unknown };
  };
  expect(service.rollout).toEqual({ state: 'waiting-for-image' });
});
