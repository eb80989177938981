import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DataCentre } from '../../infra/local/data-centre.ts';
import { ensureSigningKey } from '../../infra/local/identity/signing-key.ts';
import { tokenIssuer } from '../../infra/local/identity/tokens.ts';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { freePorts, testDataCentre } from '../support/local-settings.ts';

const tenant = '22222222-2222-4222-8222-222222222222';
const trusted = getCACertificates('default');
const children: ChildProcess[] = [];
let directory = '';
let dataCentre: DataCentre;
let caCertificate = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const [blob, queue, table] = (await freePorts(3)) as [number, number, number];
  dataCentre = testDataCentre(directory, { blob, queue, table });
  await writeFile(join(directory, 'data-centre.json'), JSON.stringify(dataCentre));
  caCertificate = (await ensurePlatformCa(join(directory, 'ca'))).certificatePem;
  setDefaultCACertificates([...trusted, caCertificate]);
});
afterEach(async () => {
  for (const child of children.splice(0)) await stop(child, 'SIGKILL');
  setDefaultCACertificates(trusted);
  await rm(directory, { recursive: true, force: true });
});

const main = new URL('../../infra/local/storage/main.ts', import.meta.url).pathname;
function launch(): ChildProcess {
  const child = spawn(process.execPath, [main, join(directory, 'data-centre.json')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}
async function start(): Promise<ChildProcess> {
  const child = launch();
  const [line] = await once(child.stdout!, 'data');
  expect(String(line)).toBe('ready\n');
  return child;
}
async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const [code] = await exited;
  return code;
}
const credential = {
  async getToken() {
    const key = await ensureSigningKey(directory);
    const issue = tokenIssuer(key, `https://sts.windows.net/${tenant}/`, tenant);
    const principal = { principalId: tenant, clientId: tenant, identityId: '/i', resourceId: '/r' };
    const { token, expiresOn } = await issue(principal, 'https://storage.azure.com');
    return { token, expiresOnTimestamp: expiresOn * 1000 };
  },
};

test('what was written is there again after SIGTERM, at once and without losing anything', async () => {
  const storage = await start();
  const blobs = new BlobServiceClient(`https://127.0.0.1:${dataCentre.ports.blob}/account`, credential);
  const table = new TableClient(`https://127.0.0.1:${dataCentre.ports.table}/account`, 'things', credential);
  await blobs.createContainer('kept');
  await table.createTable();
  await blobs.getContainerClient('kept').getBlockBlobClient('blob').upload('hello', 5);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', last: true });
  expect(await stop(storage, 'SIGTERM')).toBe(0);

  const again = await start();
  const blob = blobs.getContainerClient('kept').getBlobClient('blob');
  expect(String(await blob.downloadToBuffer())).toBe('hello');
  expect(await table.getEntity('p', 'r')).toMatchObject({ last: true });
  expect((await stat(join(directory, 'storage', 'data', 'account.key'))).mode & 0o777).toBe(0o600);
  expect(await stop(again, 'SIGTERM')).toBe(0);
});

test('nobody is let in without a token, or without TLS', async () => {
  await start();
  const { blob } = dataCentre.ports;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: blob,
      path: '/account?comp=list',
      ca: caCertificate,
      agent: false,
    };
    get(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  expect(status).toBe(403);
  await expect(fetch(`http://127.0.0.1:${blob}/account?comp=list`)).rejects.toThrow();
});

test('a port that is taken is named, and storage does not start', async () => {
  const blocker = createServer();
  await new Promise<void>((done) => blocker.listen(dataCentre.ports.queue, '127.0.0.1', done));
  try {
    const child = launch();
    const errors = text(child.stderr!);
    const [code] = await once(child, 'exit');
    expect(code).not.toBe(0);
    expect(await errors).toMatch(new RegExp(`EADDRINUSE.*${dataCentre.ports.queue}`));
  } finally {
    await new Promise((done) => blocker.close(done));
  }
});
