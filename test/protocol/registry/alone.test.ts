import { createHash, randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoneRegistry, startLoneRegistry } from '../../support/lone-registry.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';

/** The registry as `npm run registry` serves it, spoken to in bytes where a library would hide what matters. */
let storage: TestStorage;
let registry: LoneRegistry;
let authorization: string;
beforeAll(async () => {
  storage = await startTestStorage();
  registry = await startLoneRegistry(storage);
  authorization = await authorizationOf(registry);
});
afterAll(async () => {
  await storage?.stop();
});

const content = randomBytes(300_000);
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;

test('a body that is announced and refused is not asked for', async () => {
  const answer = await talk(
    `POST /v2/a/b/blobs/uploads/?digest=${digest} HTTP/1.1`,
    'content-length: 300000',
    'expect: 100-continue',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a body that is announced and wanted is asked for, comes in pieces as slow as it likes, and is stored', async () => {
  const path = await begun();
  const socket = connection();
  socket.write(
    head(`PATCH ${path} HTTP/1.1`, authorized(), 'transfer-encoding: chunked', 'expect: 100-continue'),
  );
  expect(await heard(socket, 'HTTP/1.1 100 Continue\r\n\r\n')).toBeDefined();
  for (let at = 0; at < content.length; at += 50_000) {
    const part = content.subarray(at, at + 50_000);
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    socket.write('\r\n');
    await new Promise(setImmediate);
  }
  socket.write('0\r\n\r\n');
  expect(await heard(socket, 'range: 0-299999')).toContain('HTTP/1.1 202');
  socket.destroy();
  const done = await fetch(`http://${registry.host}${path}?digest=${digest}`, {
    method: 'PUT',
    headers: { authorization },
  });
  expect(done.status).toBe(201);
  const found = await fetch(`http://${registry.host}/v2/a/b/blobs/${digest}`, { headers: { authorization } });
  expect(Buffer.from(await found.arrayBuffer()).equals(content)).toBe(true);
});

test('a body that is refused on the way does not cost the connection', async () => {
  const socket = connection();
  const body = Buffer.alloc(5 * 1024 * 1024, 32);
  socket.write(head('PUT /v2/a/b/manifests/latest HTTP/1.1', authorized(), `content-length: ${body.length}`));
  socket.write(body);
  expect(await heard(socket, '"SIZE_INVALID"')).toContain('HTTP/1.1 413');
  socket.write(head('GET /v2/ HTTP/1.1', authorized()));
  expect(await heard(socket, 'HTTP/1.1 200')).toBeDefined();
  socket.destroy();
});

test('a Host that is none', async () => {
  expect(await talk('GET /v2/ HTTP/1.1', 'host: a b')).toMatch(/^HTTP\/1\.1 400 /);
});

test('at SIGTERM an upload that runs is answered, nothing new is begun, and the process ends with 0', async () => {
  const path = await begun();
  const socket = connection();
  const ended = once(socket, 'close');
  socket.write(
    head(
      `PUT ${path}?digest=${digest} HTTP/1.1`,
      authorized(),
      'content-length: 300000',
      'expect: 100-continue',
    ),
  );
  await heard(socket, '100 Continue');
  socket.write(content.subarray(0, 1000));
  const code = registry.stop();
  await refused();
  socket.write(content.subarray(1000));
  expect(await heard(socket, '\r\n\r\n', 'HTTP/1.1 201')).toBeDefined();
  await ended;
  expect(await code).toBe(0);
});

async function authorizationOf({ host, adminKey }: LoneRegistry): Promise<string> {
  const answer = await fetch(`http://${host}/v2/token?scope=repository:a/b:pull,push`, {
    headers: { authorization: `Basic ${btoa(`x:${adminKey}`)}` },
  });
  return `Bearer ${((await answer.json()) as { token: string }).token}`;
}

const authorized = (): string => `authorization: ${authorization}`;
const head = (...lines: string[]): string =>
  `${[...lines, ...(lines.some((line) => line.startsWith('host:')) ? [] : [`host: ${registry.host}`])].join('\r\n')}\r\n\r\n`;

function connection(): Socket {
  const [host, port] = registry.host.split(':');
  return connect(Number(port), host);
}

/** @returns all that came until `end` did, behind `after` */
async function heard(socket: Socket, end: string, after = ''): Promise<string> {
  let text = '';
  for await (const [part] of on(socket, 'data')) {
    text += part;
    const from = text.indexOf(after);
    if (from >= 0 && text.includes(end, from)) return text;
  }
  throw new Error(`the connection ended after ${text}`);
}

/** One request and the whole answer to it. */
async function talk(...lines: string[]): Promise<string> {
  const socket = connection();
  socket.end(head(...lines));
  return await text(socket);
}

async function begun(): Promise<string> {
  const answer = await fetch(`http://${registry.host}/v2/a/b/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization },
  });
  return answer.headers.get('location') ?? '';
}

/** Until the registry takes no connection any more. */
async function refused(): Promise<void> {
  for (;;) {
    const socket = connection();
    const outcome = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (!outcome) return;
  }
}
