import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { issueServerCertificate } from '../../infra/local/platform-ca/server-certificate.ts';
import { acmeStore } from '../../shared/ingress/certificates/acme-store.ts';
import { certificateStore } from '../../shared/ingress/certificates/certificate-store.ts';
import { type ObtainPorts, obtainCertificate } from '../../shared/ingress/certificates/obtain.ts';
import type { Secrets } from '../../shared/secrets/secrets.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { acmeServer } from '../support/acme-server.ts';
import { until } from '../support/conditions.ts';

/** Path of Let's Encrypt's test server: `go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest`. */
const pebble = process.env['PEBBLE'] ?? join(process.env['HOME'] ?? '', 'go/bin/pebble');
const HTTP_PORT = 15_002;

interface Authority {
  readonly directory: string;
  readonly ca: string | undefined;
  close(): void;
}

/** A real authority for tests: nonces are refused and authorizations forgotten at random. */
async function startPebble(): Promise<Authority> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-pebble-'));
  const ca = await ensurePlatformCa(join(folder, 'ca'));
  const issued = await issueServerCertificate(ca, ['127.0.0.1'], join(folder, 'tls'));
  writeFileSync(join(folder, 'cert.pem'), issued.certificate);
  writeFileSync(join(folder, 'key.pem'), issued.key);
  const pebbleConfig = {
    listenAddress: '127.0.0.1:15000',
    managementListenAddress: '127.0.0.1:15001',
    certificate: join(folder, 'cert.pem'),
    privateKey: join(folder, 'key.pem'),
    httpPort: HTTP_PORT,
    tlsPort: 15_003,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify({ pebble: pebbleConfig }));
  const child: ChildProcess = spawn(pebble, ['-config', join(folder, 'pebble.json')], {
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '30' },
    stdio: 'ignore',
  });
  const directory = 'https://127.0.0.1:15000/dir';
  await until(
    'pebble listens',
    () =>
      fetchTrusting(ca.certificatePem)(directory, { headers: { 'user-agent': 'test' } }).then(
        ({ ok }) => ok,
        () => false,
      ),
    20,
  );
  return {
    directory,
    ca: ca.certificatePem,
    close() {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** fetch that trusts one authority more: as NODE_EXTRA_CA_CERTS does for a whole process. */
const fetchTrusting =
  (ca: string | undefined): typeof fetch =>
  (input, init) => {
    if (ca === undefined) return fetch(input, init);
    return new Promise((resolve, reject) => {
      const { method = 'GET', headers, body } = init ?? {};
      const sent = request(
        String(input),
        { method, ca, headers: headers as Record<string, string>, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const status = response.statusCode ?? 500;
            const text = [204, 304].includes(status) ? null : Buffer.concat(chunks);
            resolve(new Response(text, { status, headers: response.headers as Record<string, string> }));
          });
        },
      );
      sent.on('error', reject);
      sent.end(body as string | undefined);
    });
  };

function memorySecrets(): Secrets {
  const kept = new Map<string, Uint8Array>();
  return {
    async ensure(name, make) {
      const found = kept.get(name) ?? (await make());
      kept.set(name, found);
      return found;
    },
    seal: async (name, value) => void kept.set(name, value),
    open: async (name) => kept.get(name),
    remove: async (name) => void kept.delete(name),
    async *names() {
      yield* kept.keys();
    },
  };
}

const authorities: Record<string, { skip: boolean; start: () => Promise<Authority> }> = {
  'a small server of RFC 8555': {
    skip: false,
    start: async () => ({ ...(await acmeServer(HTTP_PORT)), ca: undefined }),
  },
  pebble: { skip: !existsSync(pebble), start: startPebble },
};

describe.each(Object.entries(authorities))('certificates from %s', (name, { skip, start }) => {
  describe.skipIf(skip)(`contract${skip ? ` (there is no ${name} here)` : ''}`, () => {
    let authority: Authority;
    let proxy: Server;
    let ports: ObtainPorts;
    let answers: Readonly<Record<string, string>> = {};
    let now = new Date();
    beforeAll(async () => {
      authority = await start();
      const tables = memoryTables();
      const secrets = memorySecrets();
      const acme = acmeStore(tables);
      // What the ingress does with challenges.
      proxy = createServer(({ url }, response) => {
        const answer = answers[(url ?? '').replace('/.well-known/acme-challenge/', '')];
        response.writeHead(answer === undefined ? 404 : 200).end(answer);
      });
      await new Promise<void>((resolve) => proxy.listen(HTTP_PORT, resolve));
      ports = {
        acme,
        certificates: certificateStore(tables, secrets),
        secrets,
        authority: { directory: authority.directory, contact: 'mailto:somebody@example.com' },
        async push() {
          answers = await acme.challenges();
        },
        fetch: fetchTrusting(authority.ca),
        sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 10)),
        now: () => now,
      };
    });
    afterAll(() => {
      authority?.close();
      proxy?.close();
    });

    it('are had through the challenge, and renewed at two thirds of their life', async () => {
      expect(await obtainCertificate(ports, 'localhost')).toBe('valid');
      const first = await ports.certificates.get('acme-localhost');
      expect(first?.hosts).toEqual(['localhost']);
      const pem = (await ports.certificates.pem('acme-localhost')) ?? '';
      expect(new X509Certificate(pem).subjectAltName).toBe('DNS:localhost');
      expect(pem).toContain('PRIVATE KEY');
      expect(await ports.acme.challenges()).toEqual({});
      expect(await obtainCertificate(ports, 'localhost')).toBe('not-due');
      const { nextAt = '' } = (await ports.acme.get('localhost')) ?? {};
      const [from, to, next] = [first?.notBefore, first?.notAfter, nextAt].map((at) => Date.parse(at ?? ''));
      expect(((next ?? 0) - (from ?? 0)) / ((to ?? 0) - (from ?? 0))).toBeCloseTo(2 / 3);
      now = new Date(Date.parse(nextAt) + 1000);
      expect(await obtainCertificate(ports, 'localhost')).toBe('valid');
      expect((await ports.certificates.get('acme-localhost'))?.fingerprint).not.toBe(first?.fingerprint);
      now = new Date();
    });

    it('are refused with the reason of the authority, and asked for again later and later', async () => {
      const push = ports.push;
      const silent = { ...ports, push: async () => {} };
      expect(await obtainCertificate(silent, 'localhost.localdomain')).toBe('failed');
      const record = await ports.acme.get('localhost.localdomain');
      expect(record).toMatchObject({ state: 'failed', failures: 1 });
      expect(record?.reason).not.toBe('');
      expect(await obtainCertificate(silent, 'localhost.localdomain')).toBe('not-due');
      now = new Date(Date.now() + 61_000);
      expect(await obtainCertificate(silent, 'localhost.localdomain')).toBe('failed');
      const { nextAt = '', failures } = (await ports.acme.get('localhost.localdomain')) ?? {};
      expect([failures, Date.parse(nextAt) - now.getTime()]).toEqual([2, 300_000]);
      now = new Date();
      ports = { ...ports, push };
    });

    it('are asked for once, however many want one', async () => {
      now = new Date(Date.now() + 3_600_000);
      const results = await Promise.all(
        [1, 2, 3].map(() => obtainCertificate(ports, 'localhost.localdomain')),
      );
      expect(results.filter((result) => result === 'not-due')).toHaveLength(2);
      now = new Date();
    });
  });
});

it('an authority that does not answer is told as that', async () => {
  const tables = memoryTables();
  const secrets = memorySecrets();
  const ports: ObtainPorts = {
    acme: acmeStore(tables),
    certificates: certificateStore(tables, secrets),
    secrets,
    authority: { directory: 'https://127.0.0.1:1/dir', contact: undefined },
    push: async () => {},
    fetch,
    sleep: async () => {},
    now: () => new Date(),
  };
  expect(await obtainCertificate(ports, 'a.example')).toBe('failed');
  expect((await ports.acme.get('a.example'))?.reason).toContain('https://127.0.0.1:1/dir does not answer');
});
