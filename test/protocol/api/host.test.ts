import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePlatformCa } from '../../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../../infra/local/platform-ca/server-certificate.ts';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import { JobKey, jobId, Run } from '../../../shared/model/job.ts';
import { azureTables } from '../../../shared/state/tables.azure.ts';
import { stores } from '../../../shared/workloads/stores.ts';
import { makeAsk } from '../../support/ask.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from '../functions-host/start-host.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

let directory: string;
let storage: TestStorage;
let host: TestHost;
let environment: Record<string, string>;
let server: { url: string; adminKey: string; ca: string };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'test-api-host-'));
  await run(process.execPath, [join(root, 'build/cli.mjs')]);
  storage = await startTestStorage();
  const ca = await ensurePlatformCa(join(directory, 'ca'));
  const { certificateFile, keyFile } = await issueServerCertificate(ca, ['127.0.0.1'], directory);
  const key = makeKey('admin');
  const none = '00000000-0000-0000-0000-000000000000';
  host = await startTestHost(
    storage,
    {
      TEST_HUB: 'Api',
      BERTH_HOST_CERTIFICATE: certificateFile,
      BERTH_HOST_KEY: keyFile,
      ServiceBus__fullyQualifiedNamespace: 'unused.example',
      AZURE_SUBSCRIPTION_ID: none,
      AZURE_TENANT_ID: none,
      BERTH_TOKEN_AUTHORITY: 'https://authority.example',
      BERTH_RESOURCE_GROUP: 'test',
      BERTH_LOCATION: 'westeurope',
      BERTH_APP_NETWORK: '127.0.0.1/32',
      BERTH_MASTER_KEY: randomBytes(32).toString('base64'),
      BERTH_ADMIN_KEY_SHA256: hashKey(key),
    },
    fileURLToPath(new URL('./app', import.meta.url)),
  );
  server = { url: host.origin.replace('http:', 'https:'), adminKey: key, ca: ca.certificatePem };
  environment = {
    PATH: process.env.PATH ?? '',
    BERTH_URL: server.url,
    BERTH_KEY: key,
    BERTH_CA: join(directory, 'ca.pem'),
  };
  await writeFile(join(directory, 'ca.pem'), ca.certificatePem);
  await writeFile(
    join(directory, 'berth.yaml'),
    "name: shop\nservices:\n  web: {image: 'shop/web:1'}\njobs:\n  report: {image: 'shop/report:1'}\n",
  );
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
  await rm(directory, { recursive: true, force: true });
});

const berth = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
  const options = { cwd: directory, env: environment };
  try {
    return { code: 0, ...(await run(join(root, 'dist/cli/berth.mjs'), args, options)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
};

describe('the API in the functions host, on a storage account', () => {
  it('deploys what the command sends, and shows it', async () => {
    const deployed = await berth('deploy');
    expect([deployed.code, deployed.stderr]).toEqual([6, expect.stringContaining('waits for the image')]);
    expect((await berth('status')).stdout).toMatch(/shop\/web +shop\/web:1 +- +0\/1 +waiting-for-image/);
    expect((await berth('jobs', 'list')).stdout).toContain('shop/report');
    expect((await berth('events')).stdout).toMatch(/dev\.berth\.command +api .* answered/);
    expect((await berth('images')).stdout).toContain('Nothing was pushed yet');
    expect((await berth('doctor')).code).toBe(0);
  });

  it('says what an image is missing for, as the end of a run', async () => {
    const { code, stderr } = await berth('jobs', 'run', 'report');
    expect([code, stderr]).toEqual([1, expect.stringContaining('image-not-found')]);
  });

  it('streams log lines', async () => {
    const key = JobKey.parse({ environment: 'dev', application: 'shop', job: 'report' });
    const { runs } = stores(azureTables(storage.tableUri, storage.credential));
    for await (const { partition, row, value } of runs.list({ partition: jobId(key) })) {
      if (value.status.state !== 'failed') continue;
      const ended = Run.parse({ ...value, status: { ...value.status, lastLines: ['kept line'] } });
      await runs.upsert(partition, row, ended);
      const path = `/api/v1/environments/dev/jobs/shop/report/runs/${value.id}/logs`;
      const { text } = await makeAsk(server)('GET', path);
      expect(text).toMatch(/event: line\ndata: .*kept line[\s\S]*event: end/);
      return;
    }
    throw new Error('there is no run');
  });
});
