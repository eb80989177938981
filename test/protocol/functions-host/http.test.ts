import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePlatformCa } from '../../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../../infra/local/platform-ca/server-certificate.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { startTestHost, type TestHost } from './start-host.ts';

let storage: TestStorage;
let host: TestHost;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-'));
  await writeFile(join(directory, 'notes'), '');
  storage = await startTestStorage();
  host = await startTestHost(storage, { TEST_HUB: 'Http', TEST_NOTES: join(directory, 'notes') });
});
afterAll(async () => {
  await host?.stop();
  await storage?.stop();
  await rm(directory, { recursive: true });
});

describe('HTTP functions', () => {
  it('get parameters, the rest of the path, headers and the whole address', async () => {
    const answer = await fetch(`${host.origin}/echo/a%20b/c/d?e=f`, { headers: { 'x-sent': 'yes' } });
    expect(answer.status).toBe(201);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-name': 'a b',
      'x-rest': 'c/d',
      'x-seen': 'yes',
      'x-url': `${host.origin}/echo/a%20b/c/d?e=f`,
    });
    expect(answer.headers.has('x-ms-invocation-id')).toBe(false);
    // Who asks, behind what he says of himself.
    expect(answer.headers.get('x-from')).toMatch(/^127\.0\.0\.1:\d+$/);
    const claims = await fetch(`${host.origin}/echo/a/b`, { headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect(claims.headers.get('x-from')).toMatch(/^192\.0\.2\.1, 127\.0\.0\.1:\d+$/);
  });

  it('answer 404 where no route or method fits', async () => {
    expect((await fetch(`${host.origin}/nowhere`)).status).toBe(404);
    expect((await fetch(`${host.origin}/echo/a/b`, { method: 'DELETE' })).status).toBe(404);
  });

  it('keep the length of an answer to HEAD', async () => {
    const answer = await fetch(`${host.origin}/size`, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe('12345');
  });

  it('answer 500 when they throw, and the host says why', async () => {
    expect((await fetch(`${host.origin}/throws`)).status).toBe(500);
    expect(host.errors()).toMatch(/^throws: Error: the handler broke/m);
  });

  it('stream a chunked body both ways while it is still being sent', async () => {
    const outgoing = request(`${host.origin}/echo/s/t`, { method: 'PATCH' });
    outgoing.write('one');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(String((await once(answer, 'data'))[0])).toBe('one');
    outgoing.write('two');
    expect(String((await once(answer, 'data'))[0])).toBe('two');
    outgoing.end();
    answer.resume();
    await once(answer, 'end');
  });

  it('send what they have before they end', async () => {
    const answer = await fetch(`${host.origin}/hold/1`);
    const reader = answer.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first\n');
    await fetch(`${host.origin}/release/1`, { method: 'POST' });
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('second\n');
  });

  it('see the body end when the caller goes away', async () => {
    const outgoing = request(`${host.origin}/abandoned`, { method: 'POST' });
    outgoing.on('error', () => undefined);
    outgoing.write('some');
    await fetch(`${host.origin}/arrived`);
    outgoing.destroy();
    expect(await (await fetch(`${host.origin}/outcome`)).text()).toBe('aborted');
  });

  it('take a large body at once', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 7);
    const answer = await fetch(`${host.origin}/echo/s/t`, { method: 'POST', body });
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), body)).toBe(0);
  });
});

describe('a host with a certificate', () => {
  it('serves https on every address it is given', async () => {
    const authority = await ensurePlatformCa(dirname(storage.environment.NODE_EXTRA_CA_CERTS!));
    const files = await issueServerCertificate(authority, ['127.0.0.1', 'localhost'], directory);
    const secure = await startTestHost(storage, {
      TEST_HUB: 'Secure',
      TEST_NOTES: join(directory, 'notes'),
      BERTH_HOST_LISTEN: '127.0.0.1:0,[::1]:0',
      BERTH_HOST_CERTIFICATE: files.certificateFile,
      BERTH_HOST_KEY: files.keyFile,
    });
    try {
      const [one, two] = secure.addresses;
      const answer = await fetch(`https://127.0.0.1:${one!.port}/echo/a/b`);
      expect(answer.headers.get('x-url')).toBe(`https://127.0.0.1:${one!.port}/echo/a/b`);
      expect(two!.host).toBe('::1');
    } finally {
      await secure.stop();
    }
  });
});

describe('a host that cannot serve', () => {
  const broken = async (settings: Record<string, string>) =>
    await startTestHost(storage, {
      TEST_HUB: 'Broken',
      TEST_NOTES: join(directory, 'notes'),
      ...settings,
    }).then(
      async (started) => {
        await started.stop();
        throw new Error('it started');
      },
      (error: Error) => error.message,
    );

  it('says which setting is missing or wrong', async () => {
    expect(await broken({ BERTH_HOST_LISTEN: 'here' })).toContain("The setting BERTH_HOST_LISTEN has 'here'");
    expect(await broken({ AzureWebJobsStorage__tableServiceUri: '' })).toContain(
      'AzureWebJobsStorage__tableServiceUri is missing',
    );
  });

  it('ends in good order when it is told to', async () => {
    const other = await startTestHost(storage, { TEST_HUB: 'Ending', TEST_NOTES: join(directory, 'notes') });
    expect(await other.stop()).toBe(0);
  });
});
