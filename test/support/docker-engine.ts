import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { entrust } from './custodian.ts';

/** A Docker engine of the test's own: nothing of another engine on this computer is touched. */
export async function startDockerEngine(
  directory: string,
  /** Further arguments; with a `--bridge` it can run containers. */
  more: readonly string[] = [],
): Promise<{ host: string; socket: string; stop(): Promise<void> }> {
  const socket = join(directory, 'docker.sock');
  const bridge = more.includes('--bridge') ? more[more.indexOf('--bridge') + 1] : undefined;
  const dismiss = entrust({ kind: 'engine', directory, bridge });
  const engine = spawn(
    'dockerd',
    [
      ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
      ...['--host', `unix://${socket}`, '--pidfile', join(directory, 'docker.pid')],
      ...['--iptables=false', '--ip-masq=false', '--storage-driver', 'vfs'],
      ...(more.includes('--bridge') ? more : ['--bridge', 'none', ...more]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const logFile = join(directory, 'docker.log');
  const log = createWriteStream(logFile);
  const ready = new Promise<boolean>((resolve) => {
    const lines = createInterface(engine.stderr);
    lines.on('line', (line) => {
      log.write(`${line}\n`);
      if (line.includes('API listen on')) resolve(true);
    });
    lines.on('close', () => resolve(false));
  });
  const exited = once(engine, 'exit');
  if (!(await ready)) {
    await exited;
    dismiss();
    throw new Error(`dockerd ended before it was ready:\n${await readFile(logFile, 'utf8')}`);
  }
  return {
    host: `unix://${socket}`,
    socket,
    async stop() {
      engine.kill('SIGTERM');
      await exited;
      log.end();
      dismiss();
    },
  };
}
