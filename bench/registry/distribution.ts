import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { TestStorage } from '../../test/support/storage.ts';
import type { Contestant } from './contestant.ts';
import { send } from './http-client.ts';
import { registryContestant } from './registry-client.ts';

/** A program of distribution, and how it is told of a storage account. */
export interface Program {
  readonly name: string;
  readonly program: string;
  /** Absent where it was built without this driver. */
  readonly azure?: (account: Account) => Record<string, unknown>;
}

export interface Account {
  readonly name: string;
  readonly key: string;
  readonly blobUri: string;
  /** One that is there. */
  readonly container: string;
}

/** Milliseconds. */
const STARTS_WITHIN = 30_000;

/** Starts one on a storage driver. @throws if it does not answer, with what it printed */
export async function startDistribution(
  { name, program }: Program,
  driver: 'azure' | 'filesystem',
  settings: Record<string, unknown>,
  folder: string,
  { environment }: TestStorage,
): Promise<Contestant> {
  const title = `${name}, ${driver}`;
  const port = await freePort();
  const file = join(folder, `${title.replace(/\W+/g, '-')}.yml`);
  await writeFile(
    file,
    stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { [driver]: settings, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const child = spawn(program, ['serve', file], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      SSL_CERT_FILE: environment['NODE_EXTRA_CA_CERTS'],
      OTEL_TRACES_EXPORTER: 'none',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let shown = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      shown = `${shown}${text}`.slice(-4000);
    });
  let over = false;
  const ended = once(child, 'exit').then(
    ([code, signal]) => `ended with ${code ?? signal}`,
    (error: Error) => error.message,
  );
  void ended.then(() => {
    over = true;
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const origin = `http://127.0.0.1:${port}`;
  const latest = Date.now() + STARTS_WITHIN;
  while (!(await answers(origin))) {
    if (over) throw new Error(`${title} ${await ended}:\n${shown}`);
    if (Date.now() > latest) {
      kill();
      throw new Error(`${title} does not answer:\n${shown}`);
    }
    await pause(50);
  }
  return registryContestant({
    name: title,
    origin,
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', kill);
      child.kill('SIGKILL');
      await ended;
    },
  });
}

async function answers(origin: string): Promise<boolean> {
  try {
    return (await send('GET', new URL('/v2/', origin))).status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return address !== null && typeof address === 'object' ? address.port : 0;
}
