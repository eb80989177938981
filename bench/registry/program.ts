import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Contestant } from './contestant.ts';
import { send } from './http-client.ts';
import { registryContestant } from './registry-client.ts';

/** Milliseconds. */
const STARTS_WITHIN = 30_000;

/** How a registry of others is started. */
export interface Start {
  /** Name in the tables. */
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
}

/** Starts a registry of others. @throws if it does not answer, with what it printed */
export async function startProgram({ title, program, args, environment, port }: Start): Promise<Contestant> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
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

/** One that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return address !== null && typeof address === 'object' ? address.port : 0;
}
