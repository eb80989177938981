import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { exchange } from '../../../infra/registry/exchange.ts';
import { MANIFEST_LIMIT } from '../../../shared/registry/manifest.ts';
import { ORIGIN } from '../../support/registry-client.ts';
import { serveHandler } from '../../support/registry-server.ts';
import { differences } from '../../support/registry-state.ts';
import { long, seed } from '../../support/sample.ts';
import { bearer, type Stocked, stocked } from './malformed/stocked.ts';

/** What no HTTP library would send: bytes over TCP to the registry as its own process serves it. */
let registry: Stocked;
let server: Awaited<ReturnType<typeof serveHandler>>;
let authorization: string;
/** What the handler answers, also to who is gone before. */
const answers: Promise<Response>[] = [];
beforeAll(async () => {
  registry = await stocked();
  server = await serveHandler((request) => {
    const answer = registry.handle(request);
    answers.push(answer);
    return answer;
  });
  authorization = await bearer('a/b');
});
afterAll(() => server?.close());

/**
 * Sends these bytes, and hangs up when something is answered, or soon where the server waits for more: whichever comes first is
 * right. @returns all that is answered until the connection ends
 */
async function talk(bytes: Uint8Array): Promise<string> {
  const [host = '', port] = server.host.split(':');
  const socket = connect(Number(port), host);
  const all = buffer(socket).then(
    (answer) => answer.toString('latin1'),
    () => '',
  );
  socket.write(bytes);
  const heard = new Promise((resolve) => socket.once('data', resolve));
  await Promise.race([heard, all, sleep(40)]);
  socket.end();
  return all;
}

const garbage = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const or = (wrong: fc.Arbitrary<string>, ...right: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: wrong });
const lines = (digest: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      or(
        garbage,
        'GET',
        'HEAD',
        'PUT',
        'POST',
        'PATCH',
        'DELETE',
        'get',
        'OPTIONS',
        'CONNECT',
        'PRI',
        'TRACE',
      ),
      or(
        garbage,
        ...[
          '/v2/',
          '/v2/a/b/manifests/latest',
          `/v2/a/b/blobs/${digest}`,
          '/v2/a/b/blobs/uploads/',
          '/v2/_catalog',
        ],
        ...[
          `/v2/a/b/blobs/uploads/?digest=${digest}`,
          '/v2/a/b/tags/list?n=1',
          '//v2/',
          '/v2/../../etc/passwd',
          '*',
        ],
        ...[
          'http://elsewhere/v2/',
          '/v2/a/b/manifests/\u00ff',
          '/v2/a\\b/tags/list',
          '/v2/a/b/manifests/x#y',
          '',
        ],
        ...[`/v2/${'a/'.repeat(5000)}tags/list`, '/v2/%00/tags/list', '/v2/a/b/blobs/uploads/..%2f..', 'v2/'],
      ),
      or(fc.oneof(garbage, fc.constantFrom('HTTP/2.0', 'HTTP/1.1 ', '')), 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    )
    .map((parts) => parts.join(' '));
const headers: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['content-length: 10', 'content-length: 0', 'content-length: -1', 'content-length: 10, 10'],
        ...[
          'content-length: 99999999999999999999',
          'transfer-encoding: chunked',
          'transfer-encoding: gzip, chunked',
        ],
        ...[
          'expect: 100-continue',
          'expect: nothing',
          'connection: upgrade',
          'upgrade: h2c',
          'host: ',
          'host: a b',
        ],
        ...[
          'range: bytes=0-1',
          'content-range: 0-9',
          'content-type: \u00e4',
          ' folded: yes',
          'no colon',
          ': empty',
        ],
        ...['x: '.padEnd(17_000, 'x'), 'authorization: Bearer x', 'x-forwarded-for: \u0001'],
      ),
      fc.tuple(garbage, garbage).map(([name, value]) => `${name}: ${value}`),
    ),
    { maxLength: 1 },
  )
  .map((found) => found.join('\r\n'));
/** Whether it says for whom it is, and who asks. */
const hosts = fc.integer({ min: 0, max: 4 }).map((of5) => of5 > 0);
const bodies = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  garbage,
  fc.constantFrom(
    '',
    '0123456789',
    '5\r\n01234\r\n',
    'a\r\n0123456789\r\n0\r\n\r\n',
    'zz\r\n',
    'ffffffffff\r\n0',
  ),
  fc.constant('GET /v2/ HTTP/1.1\r\n\r\n'),
);
const Problem = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).min(1) });

test(`mutated bytes (seed ${seed})`, async () => {
  const digest = registry.image.blobs[0]?.digest ?? '';
  const statuses = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(lines(digest), headers, bodies, hosts, async (line, more, body, hosted) => {
      const head = [
        line,
        ...(hosted ? ['host: registry.test', `authorization: ${authorization}`] : []),
        ...(more === '' ? [] : [more]),
      ];
      const before = await registry.dump();
      const answer = await talk(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
      const found = [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1] ?? '');
      for (const status of found) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      for (const status of found) expect(Number(status)).toBeLessThan(500);
      expect(registry.reports).toEqual([]);
      for (const json of answer.matchAll(/^\{"errors".*?\}\]\}/gm)) Problem.parse(JSON.parse(json[0]));
      const done = (await Promise.all(answers.splice(0))).some(({ status }) => status < 400);
      // The next one finds everything as it was.
      if (done) registry = await stocked();
      else expect(differences(before, await registry.dump())).toEqual([]);
    }),
    {
      numRuns: long ? 10_000 : 500,
      seed,
      // One of each kind of answer comes for certain.
      examples: [
        ['GET /v2/ HTTP/1.1', '', '', true],
        ['GET /v2/ HTTP/1.1', 'host: registry.test', '', false],
        ['GET /v2/a/b/manifests/none HTTP/1.1', '', '', true],
        ['GET', '', '', true],
      ],
    },
  );
  // Not only what HTTP itself refuses.
  for (const status of ['200', '400', '401', '404']) expect(statuses.get(status)).toBeGreaterThan(0);
  const last = await talk(
    Buffer.from(
      `GET /v2/ HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
    ),
  );
  expect(last).toMatch(/^HTTP\/1\.1 200/);
}, 1_800_000);

test('a client that is gone before its body was asked for ends its request', async () => {
  const gone = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const late = async (request: Request) => {
    await gone.promise;
    await request.text().then(ended.resolve, ended.resolve);
    return new Response();
  };
  const node = createServer((incoming, outgoing) => {
    incoming.once('close', gone.resolve);
    exchange(late, {}, incoming, outgoing, false).catch(() => outgoing.destroy());
  });
  await once(node.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = node.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234');
    await once(node, 'request');
    socket.destroy();
    expect(await ended.promise).toBeInstanceOf(Error);
  } finally {
    node.closeAllConnections();
    node.close();
  }
});

test('a manifest of 4 MiB is taken, one byte more is not', async () => {
  const { manifest } = registry.image;
  const padded = (size: number) => {
    const text = Buffer.from(manifest.bytes).toString().slice(0, -1);
    return `${text},"annotations":{"pad":"${'x'.repeat(size - text.length - '","annotations":{"pad":"}}'.length)}"}}`;
  };
  const put = async (body: NonNullable<RequestInit['body']>) =>
    registry.handle(
      new Request(`${ORIGIN}/v2/a/b/manifests/large`, {
        method: 'PUT',
        headers: { authorization, 'content-type': manifest.mediaType },
        body,
        duplex: 'half',
      }),
    );
  expect(padded(MANIFEST_LIMIT)).toHaveLength(MANIFEST_LIMIT);
  expect((await put(padded(MANIFEST_LIMIT))).status).toBe(201);
  const before = await registry.dump();
  const refused = await put(padded(MANIFEST_LIMIT + 1));
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ errors: [{ code: 'SIZE_INVALID' }] });
  // One that never ends is not read on.
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  expect((await put(endless)).status).toBe(413);
  expect(given).toBeLessThan(MANIFEST_LIMIT + 1_000_000);
  expect(differences(before, await registry.dump())).toEqual([]);
});

test('refusing large bodies again and again leaves nothing in memory', {
  timeout: long ? 900_000 : 60_000,
}, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const refuse = async () => {
    const answer = await registry.handle(
      new Request(`${ORIGIN}/v2/a/b/manifests/x`, {
        method: 'PUT',
        headers: { authorization, 'content-type': registry.image.manifest.mediaType },
        body: `{"schemaVersion":2,"layers":[${'1,'.repeat(2_000_000)}1]}`,
      }),
    );
    expect(answer.status).toBe(400);
    await answer.text();
  };
  await refuse();
  const before = used();
  for (let count = 0; count < (long ? 1000 : 8); count += 1) await refuse();
  expect(used() - before).toBeLessThan(20_000_000);
});
