import { createHash } from 'node:crypto';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProxyInput } from '../../../shared/ingress/proxy-config.ts';
import { backendName, RouteRow } from '../../../shared/ingress/route-row.ts';
import { assignSlots, type Server as Place } from '../../../shared/ingress/slots.ts';
import { RouteSpec } from '../../../shared/model/route.ts';
import { until } from '../../support/conditions.ts';
import { type LocalProxy, noProxy, startProxy } from '../../support/local-proxy.ts';
import { startLoad } from '../../support/request-load.ts';
import { selfSigned } from '../../support/self-signed.ts';

const rowOf = (service: string, route: unknown): RouteRow =>
  RouteRow.parse({
    key: { environment: 'dev', application: 'shop', service },
    route: RouteSpec.parse(route),
    health: {},
    at: '2026-01-01T00:00:00Z',
  });

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

describe.skipIf(noProxy !== undefined)(`a real proxy${noProxy === undefined ? '' : ` (${noProxy})`}`, () => {
  const servers: Server[] = [];
  const rows = {
    web: rowOf('web', { host: 'a.example' }),
    api: rowOf('api', { host: 'a.example', path: '/api', stripPrefix: true }),
    sticky: rowOf('sticky', { host: '*.b.example', sticky: { cookie: 'stay' } }),
    limited: rowOf('limited', { host: 'c.example', limits: { body: 1, requestsPerSecond: 5 } }),
    secure: rowOf('secure', { host: 'd.example', tls: 'given' }),
    pending: rowOf('pending', { host: 'e.example', tls: 'acme' }),
  };
  let proxy: LocalProxy;
  let input: ProxyInput;
  let certificate = '';
  let pems: Readonly<Record<string, string>> = {};

  /** Says which it is, the path it saw, and echoes what an upgraded connection sends. */
  const serve = async (name: string): Promise<Place> => {
    const server = createServer((incoming, response) => {
      const answer = () => response.end(`${name} ${incoming.url} ${incoming.headers['x-forwarded-proto']}`);
      if (incoming.url?.includes('slow') === true) setTimeout(answer, 300);
      else answer();
    });
    server.on('upgrade', ({ headers }, socket) => {
      const accept = createHash('sha1')
        .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      // Frames of clients are masked: as text this echoes what it unmasks.
      socket.on('data', (frame: Buffer) => {
        const length = (frame[1] ?? 0) & 0x7f;
        const mask = frame.subarray(2, 6);
        const text = frame.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
        socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
      });
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    return { replica: name, address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };

  const get = (
    host: string,
    path = '/',
    given: { headers?: object; method?: string; body?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method = 'GET', headers = {}, body } = given;
      const sent = request(
        { host: '127.0.0.1', port: proxy.http, path, method, agent: false, headers: { host, ...headers } },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });

  let places: Record<string, Place>;
  beforeAll(async () => {
    const names = ['one', 'two', 'three'];
    places = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await serve(name)] as const)),
    );
    const { one, two } = places as { one: Place; two: Place };
    const made = await selfSigned('d.example');
    certificate = made.certificate;
    input = {
      routes: Object.values(rows),
      servers: Object.fromEntries(
        Object.values(rows).map((row) => [backendName(row), assignSlots([], [one, two])]),
      ),
      certificates: [{ name: 'given', hosts: ['d.example'], fingerprint: '1' }],
      challenges: { token: 'token.thumb' },
    };
    pems = { given: `${made.certificate}\n${made.key}` };
    proxy = await startProxy(input, pems);
  });
  afterAll(() => {
    proxy?.close();
    for (const server of servers) server.close();
    for (const server of servers) server.closeAllConnections();
  });

  it('leads by host and path, strips a prefix, and says where nothing leads', async () => {
    expect((await get('a.example', '/x?y=1')).body).toMatch(/^(one|two) \/x\?y=1 http$/);
    expect((await get('a.example', '/api/x?y=1')).body).toMatch(/ \/x\?y=1 http$/);
    expect((await get('a.example', '/api')).body).toMatch(/ \/ http$/);
    expect((await get('a.example', '/apis')).body).toContain(' /apis ');
    expect((await get('b.example')).status).toBe(404);
    expect((await get('x.y.b.example')).status).toBe(404);
    expect((await get('A.EXAMPLE:8080')).status).toBe(200);
  });

  it('keeps a client with its replica by the cookie', async () => {
    const first = await get('x.b.example');
    const [cookie = ''] = String(first.headers['set-cookie']).split(';');
    const [name = ''] = first.body.split(' ');
    for (let turn = 0; turn < 6; turn += 1)
      expect((await get('x.b.example', '/', { headers: { cookie } })).body).toContain(`${name} `);
  });

  it('bounds bodies and requests of a client', async () => {
    const post = (body: string, headers: object = {}) =>
      get('c.example', '/', { method: 'POST', body, headers });
    expect((await post('x'.repeat(2000), { 'content-length': 2000 })).status).toBe(413);
    expect((await post('x', { 'transfer-encoding': 'chunked' })).status).toBe(411);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('c.example')));
    expect(answers.map(({ status }) => status)).toContain(429);
  });

  it('answers TLS with a given certificate, and redirects to it; without one it says so', async () => {
    const redirect = await get('d.example', '/x?y=1');
    expect([redirect.status, redirect.headers.location]).toEqual([308, 'https://d.example/x?y=1']);
    const text = await new Promise<string>((resolve, reject) => {
      secureRequest(
        {
          host: '127.0.0.1',
          port: proxy.https,
          path: '/x',
          servername: 'd.example',
          headers: { host: 'd.example' },
          ca: certificate,
          agent: false,
        },
        (response) => response.setEncoding('utf8').once('data', resolve),
      )
        .on('error', reject)
        .end();
    });
    expect(text).toMatch(/ \/x https$/);
    const pending = await get('e.example');
    expect([pending.status, pending.body]).toEqual([
      503,
      'There is no certificate for this host yet: berth routes tells why.',
    ]);
    expect((await get('e.example', '/.well-known/acme-challenge/token')).body).toBe('token.thumb');
  });

  it('carries websockets', async () => {
    const echoed = await new Promise<string>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: proxy.http,
        path: '/socket',
        headers: {
          host: 'a.example',
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      });
      sent.on('upgrade', (_response, connection) => {
        connection.once('data', (frame: Buffer) => {
          connection.destroy();
          resolve(frame.subarray(2).toString());
        });
        const text = Buffer.from('hello');
        connection.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
      });
      sent.on('error', reject);
      sent.on('response', ({ statusCode }) => reject(new Error(`it answered ${statusCode}`)));
      sent.end();
    });
    expect(echoed).toBe('hello');
  });

  it('loses nothing while servers come, go and die', async () => {
    const load = startLoad({ host: '127.0.0.1', port: proxy.http, name: 'a.example' }, 8);
    const { one, two, three } = places as { one: Place; two: Place; three: Place };
    const name = backendName(rows.web);
    let slots = input.servers[name] ?? [];
    const tell = async (serving: Place[]): Promise<void> => {
      slots = assignSlots(slots, serving);
      await proxy.tell({ ...input, servers: { ...input.servers, [name]: slots } });
    };
    for (const serving of [
      [two, three],
      [one, three],
      [one, two],
      [one, two, three],
    ]) {
      const { answered } = load.seen();
      await tell(serving);
      await until('requests flow on', async () => load.seen().answered > answered + 200, 20);
    }
    // One that is gone without a word: what it had fails or is repeated elsewhere, nothing comes after.
    const [, second] = servers;
    second?.close();
    second?.closeAllConnections();
    const { answered } = load.seen();
    await until('requests flow on', async () => load.seen().answered > answered + 500, 20);
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
  });

  it('that ends answers what comes over a kept connection, and closes it then', async () => {
    const leaving = await startProxy(input, pems);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (): Promise<IncomingMessage & { reused: boolean }> =>
      new Promise((resolve, reject) => {
        const sent = request(
          { host: '127.0.0.1', port: leaving.http, agent, headers: { host: 'a.example' } },
          (answer) => {
            answer.resume().on('end', () => resolve(Object.assign(answer, { reused: sent.reusedSocket })));
          },
        );
        sent.on('error', reject).end();
      });
    try {
      expect((await ask()).statusCode).toBe(200);
      leaving.leave();
      await until('it takes no more', () =>
        fetch(`http://127.0.0.1:${leaving.http}/`).then(
          () => false,
          () => true,
        ),
      );
      const last = await ask();
      expect([last.statusCode, last.reused, last.headers.connection]).toEqual([200, true, 'close']);
    } finally {
      agent.destroy();
      leaving.close();
    }
  });
});
