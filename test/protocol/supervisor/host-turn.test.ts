import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { takeTurn } from '../../../infra/local/supervisor/host-turn.ts';
import { choosePorts } from '../../../infra/local/supervisor/ports.ts';

const fresh = () => `\0test-turn-${randomUUID()}`;

it('those who ask at once take turns, and who waits is told so', async () => {
  const name = fresh();
  const said: string[] = [];
  let inside = 0;
  let most = 0;
  const one = async () => {
    const end = await takeTurn((line) => said.push(line), name);
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    end();
  };
  await Promise.all(Array.from({ length: 8 }, one));
  expect([most, inside]).toEqual([1, 0]);
  expect(said[0]).toBe('another data centre is starting on this computer: waiting for it');
});

it('the turn of a process that is killed ends with it', async () => {
  const name = fresh();
  const module = fileURLToPath(new URL('../../../infra/local/supervisor/host-turn.ts', import.meta.url));
  const holder = `
    const { takeTurn } = await import(${JSON.stringify(module)});
    await takeTurn(() => {}, ${JSON.stringify(name)});
    console.log('mine');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder], { stdio: 'pipe' });
  await once(child.stdout, 'data');
  const waiting = takeTurn(() => child.kill('SIGKILL'), name);
  (await waiting)();
  expect(child.killed).toBe(true);
});

// Two data centres that were started in the same second took the same ports, and one of them failed.
it('ports that are chosen in a turn and used at its end are not chosen again', async () => {
  const name = fresh();
  const servers: Server[] = [];
  const start = async () => {
    const end = await takeTurn(() => {}, name);
    const ports = await choosePorts(['127.0.0.1']);
    for (const port of Object.values(ports)) {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      servers.push(server);
    }
    end();
    return Object.values(ports);
  };
  try {
    const all = (await Promise.all([start(), start(), start()])).flat();
    expect(new Set(all).size).toBe(all.length);
  } finally {
    for (const server of servers) server.close();
  }
});
