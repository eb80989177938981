import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestStorage } from '../../support/storage.ts';

/** What the test app answers, in a shape that the tests take for granted. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of what it asked for, and fails where it differs
type Answer = any;

export interface TestHost {
  readonly origin: string;
  readonly addresses: readonly { host: string; port: number }[];
  readonly process: ChildProcess;
  /** What the host wrote to stderr. */
  errors(): string;
  /** Calls a method of the durable client in the app. @throws Error with its message */
  client(op: string, ...args: unknown[]): Promise<Answer>;
  /** Waits until the orchestration has ended; @returns its status. */
  finished(id: string): Promise<{ runtimeStatus: string; output: Answer }>;
  stop(): Promise<number | null>;
}

export const appFolder = fileURLToPath(new URL('./app', import.meta.url));
const main = fileURLToPath(new URL('../../../infra/local/functions-host/main.ts', import.meta.url));

/** The host with the test app in a process of its own. */
export async function startTestHost(
  storage: TestStorage,
  settings: Record<string, string>,
  folder = appFolder,
): Promise<TestHost> {
  const child = spawn(process.execPath, [main, folder], {
    env: { PATH: process.env.PATH, ...storage.environment, BERTH_HOST_LISTEN: '127.0.0.1:0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const ready = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const first = await Promise.race([ready, exited.then(() => undefined)]);
  if (first === undefined) throw new Error(`the host did not start: ${errors}`);
  const { addresses } = JSON.parse(first[0]) as { addresses: { host: string; port: number }[] };
  const origin = `http://127.0.0.1:${addresses[0]!.port}`;
  const client = async (op: string, ...args: unknown[]): Promise<Answer> => {
    const answer = await fetch(`${origin}/client`, { method: 'POST', body: JSON.stringify({ op, args }) });
    const { value, error } = (await answer.json()) as { value: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  };
  return {
    origin,
    addresses,
    process: child,
    errors: () => errors,
    client,
    async finished(id) {
      for (;;) {
        const status = await client('getStatus', id);
        if (!['Running', 'Pending', 'Suspended'].includes(status.runtimeStatus)) return status;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}
