import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensurePlatformCa } from '../../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../../infra/local/platform-ca/server-certificate.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'platform-ca-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('the authority is made once and found again', async () => {
  const made = await ensurePlatformCa(directory);
  const found = await ensurePlatformCa(directory);
  expect(found.certificatePem).toBe(made.certificatePem);
  const certificate = new X509Certificate(made.certificatePem);
  expect(certificate.ca).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect((await stat(join(directory, 'ca.key.pem'))).mode & 0o777).toBe(0o600);
});

test('an authority whose key is lost is made anew', async () => {
  const made = await ensurePlatformCa(directory);
  await writeFile(join(directory, 'ca.key.pem'), 'no key');
  expect((await ensurePlatformCa(directory)).certificatePem).not.toBe(made.certificatePem);
});

test('a server certificate is issued anew when its names or its authority change, else kept', async () => {
  const ca = await ensurePlatformCa(join(directory, 'ca'));
  const one = await issueServerCertificate(ca, ['localhost', '127.0.0.1'], directory);
  expect((await issueServerCertificate(ca, ['localhost', '127.0.0.1'], directory)).certificate).toBe(
    one.certificate,
  );
  const two = await issueServerCertificate(ca, ['localhost', '10.20.0.1'], directory);
  expect(two.certificate).not.toBe(one.certificate);
  expect(await readFile(two.certificateFile, 'utf8')).toBe(two.certificate);
  const other = await ensurePlatformCa(join(directory, 'other'));
  expect((await issueServerCertificate(other, ['localhost', '10.20.0.1'], directory)).certificate).not.toBe(
    two.certificate,
  );
});

test('clients that trust the authority reach the server by name and by address, others do not', async () => {
  const ca = await ensurePlatformCa(directory);
  const { certificate, key } = await issueServerCertificate(ca, ['localhost', '127.0.0.1'], directory);
  const server = createServer({ cert: certificate, key }, (_, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const ask = (host: string, trusted?: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        get(
          {
            host: '127.0.0.1',
            servername: host === '127.0.0.1' ? '' : host,
            port,
            ca: trusted,
            agent: false,
          },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        ).on('error', reject);
      });
    expect(await ask('localhost', ca.certificatePem)).toBe(200);
    expect(await ask('127.0.0.1', ca.certificatePem)).toBe(200);
    await expect(ask('localhost')).rejects.toThrow(/unable to verify|self-signed/);
    await expect(ask('example.org', ca.certificatePem)).rejects.toThrow(/altnames/);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
