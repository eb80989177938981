import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { TestStorage } from '../test/support/storage.ts';
import type { Chains } from './durable-app/main.ts';

export interface DurableHost {
  /** Runs chains and waits until all have ended. */
  run(chains: Chains): Promise<void>;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../infra/local/functions-host/main.ts', import.meta.url));
const folder = fileURLToPath(new URL('./durable-app', import.meta.url));
const Ready = z.object({ addresses: z.array(z.object({ host: z.string(), port: z.number() })).min(1) });

/** The embedded functions host with the bench's app, in a process of its own. */
export async function startDurableHost(storage: TestStorage, hub: string): Promise<DurableHost> {
  const child = spawn(process.execPath, [main, folder], {
    env: {
      PATH: process.env['PATH'],
      ...storage.environment,
      BERTH_HOST_LISTEN: '127.0.0.1:0',
      BENCH_HUB: hub,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const first = await Promise.race([line, exited.then(() => undefined)]);
  if (first === undefined) throw new Error('the functions host ended before it was ready');
  const [address] = Ready.parse(JSON.parse(first[0])).addresses;
  return {
    async run(chains) {
      const answer = await fetch(`http://127.0.0.1:${address?.port}/chains`, {
        method: 'POST',
        body: JSON.stringify(chains),
      });
      if (!answer.ok) throw new Error(`the bench app answered ${answer.status}: ${await answer.text()}`);
    },
    stop,
  };
}
