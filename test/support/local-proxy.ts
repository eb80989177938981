import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProxyInput, proxyConfig } from '../../shared/ingress/proxy-config.ts';
import { until } from './conditions.ts';

/** Why no proxy can run here; undefined if it can. */
export const noProxy = spawnSync('haproxy', ['-v']).status === 0 ? undefined : 'haproxy is not installed';

/** A haproxy of this computer with a configuration of ours, on ports of its own. */
export interface LocalProxy {
  readonly http: number;
  readonly https: number;
  /** Changes servers while it runs. */
  tell(input: ProxyInput): Promise<void>;
  /** As the container's stop signal does: it takes no more connections and ends what it has. */
  leave(): void;
  close(): void;
}

export async function startProxy(
  input: ProxyInput,
  pems: Readonly<Record<string, string>> = {},
): Promise<LocalProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-proxy-'));
  const socket = join(folder, 's');
  mkdirSync(join(folder, 'certificates'));
  for (const [name, pem] of Object.entries(pems))
    writeFileSync(join(folder, 'certificates', `${name}.pem`), pem);
  const [http, https, health] = await Promise.all([freePort(), freePort(), freePort()]);
  const text = proxyConfig(input)
    .text.replaceAll('/run/haproxy.sock', socket)
    .replace('bind :80', `bind 127.0.0.1:${http}`)
    .replace('bind :443', `bind 127.0.0.1:${https}`)
    .replace('bind :8404', `bind 127.0.0.1:${health}`);
  writeFileSync(join(folder, 'haproxy.cfg'), text);
  const child: ChildProcess = spawn('haproxy', ['-q', '-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: 'ignore',
  });
  await until(
    'the proxy answers',
    () =>
      fetch(`http://127.0.0.1:${health}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    20,
  );
  return {
    http,
    https,
    async tell(changed) {
      for (const line of proxyConfig(changed).commands) await say(socket, line);
    },
    leave: () => void child.kill('SIGUSR1'),
    close() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const say = (path: string, line: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const connection = connect(path, () => connection.end(`${line}\n`));
    connection.on('error', reject);
    connection.on('close', () => resolve());
    connection.resume();
  });

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
