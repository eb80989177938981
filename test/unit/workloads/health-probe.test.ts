import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { networkProbe } from '../../../shared/health/health-probe.network.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}
const http = (statusCode: number) =>
  listen(createHttp((_request, response) => response.writeHead(statusCode).end()));
const tcp = (accept: (socket: Socket) => void) =>
  listen(
    createServer((socket) => {
      closers.push(() => socket.destroy());
      accept(socket);
    }),
  );
const ask = (port: number, path?: string, timeout = 2_000) =>
  networkProbe.ask({ address: '127.0.0.1', port, path }, timeout);

describe('the network probe', () => {
  test.each([200, 204, 301])('%i is healthy', async (status) => {
    expect(await ask(await http(status), '/ready')).toBeUndefined();
  });

  test.each([404, 503])('%i is not, and the reason says so', async (status) => {
    expect(await ask(await http(status), '/ready')).toBe(`GET /ready answered ${status}`);
  });

  test('an HTTP server that says nothing is not healthy after the timeout', async () => {
    const port = await tcp(() => {});
    expect(await ask(port, '/', 50)).toBe('GET / did not answer within 50 ms');
  });

  test('a port that accepts and stays open, or speaks, is healthy', async () => {
    expect(await ask(await tcp(() => {}))).toBeUndefined();
    expect(await ask(await tcp((socket) => socket.write('hello')))).toBeUndefined();
  });

  test('a port that accepts and closes at once has nobody behind it', async () => {
    const port = await tcp((socket) => socket.end());
    expect(await ask(port)).toBe(`port ${port} closes connections`);
  });

  test('a port where nobody listens is refused', async () => {
    const port = await http(200);
    for (const close of closers.splice(0)) close();
    expect(await ask(port)).toMatch(`port ${port}: connect ECONNREFUSED`);
  });
});
