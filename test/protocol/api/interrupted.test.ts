import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { berthProgram } from '../../support/berth-program.ts';

/** Takes connections and says nothing, as what hangs does. */
let silent: Server;
const sockets: Socket[] = [];
let program: ReturnType<typeof berthProgram>;
beforeAll(async () => {
  silent = createServer((socket) => sockets.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  program = berthProgram({ url: `https://127.0.0.1:${port}`, adminKey: 'bk_none', ca: '' });
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent?.close();
  program?.remove();
});

// A call has 30 seconds to be answered: who waits for that fails by the test's time.
it.each([
  ['a list', ['ps']],
  ['a change', ['scale', 'web', '2']],
  ['what goes on and on', ['events', '--follow']],
])('Ctrl-C ends %s that nobody answers', { timeout: 20_000 }, async (_, args) => {
  const connected = once(silent, 'connection');
  const child = program.start(args);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  await connected;
  child.kill('SIGINT');
  expect(await ended).toEqual([1, null]);
  expect(stderr).toContain('Interrupted before Berth had answered');
  expect(stderr).toContain('→ Look at what is there: berth ps');
});
