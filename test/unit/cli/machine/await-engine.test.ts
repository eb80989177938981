import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { presents } from '../../../../cli/machine/await-engine.ts';

const signal = new AbortController().signal;

function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
  try {
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out cert -days 1 -subj /CN=m1';
    execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'ignore' });
    const [cert, key] = ['cert', 'key'].map((name) => readFileSync(join(folder, name), 'utf8'));
    return { cert, key, serial: new X509Certificate(cert ?? '').serialNumber.toLowerCase() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('an engine that starts again', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const listen = async (certificate: ReturnType<typeof selfSigned>, port = 0) => {
    const server = createServer(certificate).listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  test('is waited for while it still has its old certificate, and while nobody listens', async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    const port = await listen(old);
    const place = { host: '127.0.0.1', port };
    expect(await presents(place, old.serial, 5_000, signal)).toBe(true);
    let isThere = false;
    const waiting = presents(place, `00${next.serial}`, 20_000, signal).then((seen) => {
      expect(isThere).toBe(true);
      return seen;
    });
    await once(servers[0] as Server, 'connection');
    await new Promise((closed) => servers.splice(0)[0]?.close(closed));
    isThere = true;
    await listen(next, port);
    expect(await waiting).toBe(true);
  });

  test('is not waited for longer than told, nor after an interruption', async () => {
    const old = selfSigned();
    const place = { host: '127.0.0.1', port: await listen(old) };
    expect(await presents(place, '01', 600, signal)).toBe(false);
    expect(await presents(place, old.serial, 60_000, AbortSignal.abort())).toBe(false);
  });

  test('is not waited for where its name leads nowhere', async () => {
    expect(await presents({ host: 'nowhere.invalid', port: 2376 }, '01', 60_000, signal)).toBe(false);
  });
});
