import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Terminal } from '../../../shared/model/errors.ts';
import { Digest } from '../../../shared/model/image.ts';
import type { RegistryAddress, RegistryCredential } from '../../../shared/model/registry-address.ts';
import { registryFault } from '../../../shared/registry/sources/registry-fault.ts';
import { connection } from '../../../shared/registry/upstream/connection.ts';
import { httpUpstream } from '../../../shared/registry/upstream/upstream.http.ts';
import type { Upstream } from '../../../shared/registry/upstream/upstream.ts';
import { startDockerRegistry } from '../../support/docker-registry.ts';
import { content, descriptor, sha256, testImage, testIndex } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { serveHandler, testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { hasProgram, run } from '../../support/tool.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const plain = (host: string): RegistryAddress => ({ url: `http://${host}`, plainHttp: true });

function client(host: string, credential?: RegistryCredential, patience = 5_000): Upstream {
  const made = connection(plain(host), { credential, patience });
  undo.push(made.close);
  return httpUpstream(made);
}

/** A registry that says what the test wants. @returns its host, and what it was asked */
async function scripted(answer: (request: Request, number: number) => Response | Promise<Response>) {
  const asked: Request[] = [];
  const server = await serveHandler(async (request) => {
    asked.push(request);
    return answer(request, asked.length);
  });
  undo.push(server.close);
  return { host: server.host, asked };
}

async function allOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

const image = testImage([randomBytes(200_000), randomBytes(10)]);
const layer = image.blobs[1];
if (layer === undefined) throw new Error('an image has layers');
const layerDigest = Digest.parse(layer.digest);
const manifestAnswer = () =>
  new Response(image.manifest.bytes as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': image.manifest.mediaType },
  });

describe('a registry like ours', () => {
  let host: string;
  let stop: () => Promise<void>;
  const signature = testImage([randomBytes(5)], {
    fields: { subject: descriptor(image.manifest), artifactType: 'application/vnd.test' },
  });
  const index = testIndex([image]);
  beforeAll(async () => {
    const storage = await registryStorages.azurite();
    const registry = await testRegistry(storage);
    const server = await serveHandler(registry.handle);
    host = server.host;
    stop = async () => {
      await server.close();
      await storage.stop();
    };
    const pusher = registryClient(registry.handle);
    await pusher.pushImage('team/app', 'v1', image);
    await pusher.pushImage('team/app', 'sig', signature);
    await pusher.pushManifest('team/app', 'all', index);
  });
  afterAll(() => stop?.());

  test('manifests, blobs, tags and referrers are read with a token got for a key', async () => {
    const upstream = client(host, { username: 'x', password: 'reader-key' });
    expect(await upstream.head('team/app', 'all')).toEqual({ digest: index.digest });
    for (const made of [index, image.manifest, signature.manifest]) {
      const found = await upstream.manifest('team/app', made.digest);
      expect(found).toEqual({
        digest: made.digest,
        mediaType: made.mediaType,
        bytes: Buffer.from(made.bytes),
      });
    }
    const { size, body } = await upstream.blob('team/app', layerDigest);
    expect(size).toBe(200_000);
    expect(sha256(await allOf(body))).toBe(layer.digest);
    expect(await upstream.hasBlob('team/app', layerDigest)).toBe(true);
    expect(await upstream.hasBlob('team/app', Digest.parse(sha256('none')))).toBe(false);
    expect(await Array.fromAsync(upstream.tags('team/app'))).toEqual(['all', 'sig', 'v1']);
    expect(await upstream.referrers('team/app', Digest.parse(image.manifest.digest))).toMatchObject([
      { digest: signature.manifest.digest, artifactType: 'application/vnd.test' },
    ]);
  });

  test('a wrong credential and a missing image are told apart', async () => {
    const code = (upstream: Upstream, reference: string) =>
      upstream.manifest('team/app', reference).catch((error: { code: string }) => error.code);
    expect(await code(client(host, { username: 'x', password: 'wrong' }), 'v1')).toBe(
      'upstream-unauthorized',
    );
    expect(await code(client(host, { username: 'x', password: 'reader-key' }), 'none')).toBe(
      'upstream-not-found',
    );
  });
});

test.skipIf(!hasProgram('docker-registry') || !hasProgram('skopeo'))("Debian's distribution", async () => {
  const registry = await startDockerRegistry();
  undo.push(registry.stop);
  const upstream = client(registry.host);
  await expect(upstream.head('a/b', 'v1')).rejects.toMatchObject({ code: 'upstream-not-found' });
  const post = await fetch(`http://${registry.host}/v2/a/b/blobs/uploads/`, { method: 'POST' });
  expect(post.status).toBe(202);
  for (const { bytes, digest } of image.blobs) {
    const begun = await fetch(`http://${registry.host}/v2/a/b/blobs/uploads/`, { method: 'POST' });
    const to = new URL(begun.headers.get('location') ?? '', begun.url);
    to.searchParams.set('digest', digest);
    expect((await fetch(to, { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer> })).status).toBe(201);
  }
  const put = await fetch(`http://${registry.host}/v2/a/b/manifests/v1`, {
    method: 'PUT',
    body: image.manifest.bytes as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': image.manifest.mediaType },
  });
  expect(put.status).toBe(201);
  expect(await upstream.head('a/b', 'v1')).toEqual({ digest: image.manifest.digest });
  expect((await upstream.manifest('a/b', 'v1')).digest).toBe(image.manifest.digest);
  expect(sha256(await allOf((await upstream.blob('a/b', layerDigest)).body))).toBe(layer.digest);
  expect(await Array.fromAsync(upstream.tags('a/b'))).toEqual(['v1']);
  // It has no referrers API: its tag scheme is asked, which has none either.
  expect(await upstream.referrers('a/b', Digest.parse(image.manifest.digest))).toEqual([]);
  await run('skopeo', ['inspect', '--tls-verify=false', `docker://${registry.host}/a/b:v1`]);
});

describe('challenges', () => {
  test('Basic, and the credential is sent at once the next time', async () => {
    const expected = `Basic ${btoa('me:word')}`;
    const { host, asked } = await scripted((request) =>
      request.headers.get('authorization') === expected
        ? manifestAnswer()
        : new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }),
    );
    const upstream = client(host, { username: 'me', password: 'word' });
    await upstream.manifest('a', 'v1');
    await upstream.manifest('a', 'v1');
    expect(asked.map(({ headers }) => headers.get('authorization'))).toEqual([null, expected, expected]);
    await expect(client(host).manifest('a', 'v1')).rejects.toMatchObject({ code: 'upstream-unauthorized' });
  });

  test('a token without a credential, asked for once; a new one when it is refused', async () => {
    let valid = 'one';
    let tokens = 0;
    const { host } = await scripted((request) => {
      const url = new URL(request.url);
      if (url.pathname === '/token') {
        tokens += 1;
        expect(url.searchParams.get('service')).toBe('s');
        expect(url.searchParams.get('scope')).toBe('repository:library/a:pull');
        expect(request.headers.has('authorization')).toBe(false);
        return Response.json({ access_token: valid, expires_in: 300 });
      }
      return request.headers.get('authorization') === `Bearer ${valid}`
        ? manifestAnswer()
        : new Response(null, {
            status: 401,
            headers: {
              'www-authenticate': `Bearer realm="${url.origin}/token",service="s",scope="repository:library/a:pull"`,
            },
          });
    });
    const upstream = client(host);
    await upstream.manifest('library/a', 'v1');
    await upstream.manifest('library/a', 'v2');
    expect(tokens).toBe(1);
    valid = 'two';
    await upstream.manifest('library/a', 'v1');
    expect(tokens).toBe(2);
  });

  test('an identity token is exchanged, not sent as a password', async () => {
    const { host } = await scripted(async (request) => {
      const url = new URL(request.url);
      if (url.pathname === '/oauth2/token') {
        const form = new URLSearchParams(await request.text());
        expect(Object.fromEntries(form)).toMatchObject({
          grant_type: 'refresh_token',
          refresh_token: 'identity',
          service: 's',
        });
        return Response.json({ access_token: 'access' });
      }
      return request.headers.get('authorization') === 'Bearer access'
        ? manifestAnswer()
        : new Response(null, {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${url.origin}/oauth2/token",service="s"` },
          });
    });
    await client(host, { username: '00000000-0000-0000-0000-000000000000', password: 'identity' }).manifest(
      'a',
      'v1',
    );
  });
});

describe('redirects', () => {
  test('another host gets no Authorization', async () => {
    const store = await scripted(() => new Response(layer.bytes as Uint8Array<ArrayBuffer>));
    const { host } = await scripted((request) =>
      request.headers.has('authorization')
        ? new Response(null, { status: 307, headers: { location: `http://${store.host}/data?sig=1` } })
        : new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }),
    );
    const { body } = await client(host, { username: 'me', password: 'word' }).blob('a', layerDigest);
    expect(sha256(await allOf(body))).toBe(layer.digest);
    expect(store.asked.map(({ headers }) => headers.get('authorization'))).toEqual([null]);
  });

  test('a circle ends, and http is not gone on to from https', async () => {
    const { host, asked } = await scripted(
      () => new Response(null, { status: 302, headers: { location: '/again' } }),
    );
    await expect(client(host).blob('a', layerDigest)).rejects.toMatchObject({
      code: 'upstream-answer-invalid',
    });
    expect(asked).toHaveLength(6);
    const strict = connection({ url: `http://${host}`, plainHttp: false });
    undo.push(strict.close);
    await expect(httpUpstream(strict).head('a', 'v1')).rejects.toMatchObject({
      code: 'upstream-answer-invalid',
    });
  });
});

test.each(['127.0.0.1', 'localhost'])(
  'a registry that must be public is not looked for at %s',
  async (name) => {
    const { host, asked } = await scripted(() => manifestAnswer());
    const made = connection(plain(host.replace('127.0.0.1', name)), { allowPrivate: false });
    undo.push(made.close);
    await expect(httpUpstream(made).manifest('a', 'v1')).rejects.toMatchObject({
      code: 'upstream-unreachable',
      message: expect.stringContaining('private address'),
    });
    expect(asked).toEqual([]);
  },
);

test('what tells secrets of the machine itself is never asked, wherever a registry points', async () => {
  const location = 'http://169.254.169.254/metadata/identity/oauth2/token';
  const { host } = await scripted(() => new Response(null, { status: 307, headers: { location } }));
  await expect(client(host).blob('a', layerDigest)).rejects.toMatchObject({
    message: expect.stringContaining('169.254.169.254 is no address for receivers'),
  });
});

describe('registries that lie, limit, stall or break off', () => {
  test('a manifest with another digest than asked for, or than its header says', async () => {
    const other = testImage([randomBytes(3)]).manifest;
    const { host } = await scripted((request) =>
      new URL(request.url).pathname.endsWith('/v1')
        ? new Response(other.bytes as Uint8Array<ArrayBuffer>, {
            headers: { 'content-type': other.mediaType, 'docker-content-digest': image.manifest.digest },
          })
        : manifestAnswer(),
    );
    for (const reference of ['v1', other.digest])
      await expect(client(host).manifest('a', reference)).rejects.toMatchObject({
        code: 'upstream-answer-invalid',
      });
  });

  test('what is no manifest, or too large for one', async () => {
    const huge = content(image.manifest.mediaType, randomBytes(4 * 1024 * 1024 + 1));
    const answers = [
      new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      new Response(huge.bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': huge.mediaType } }),
    ];
    const { host } = await scripted((_request, number) => answers[number - 1] as Response);
    for (const _ of answers)
      await expect(client(host).manifest('a', 'v1')).rejects.toMatchObject({
        code: 'upstream-answer-invalid',
      });
  });

  test.each([
    [{ 'retry-after': '30' }, 30_000],
    [{}, 60_000],
  ])('429 with %o is to be tried again later', async (headers, afterMs) => {
    const { host } = await scripted(() =>
      Response.json(
        { errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }] },
        { status: 429, headers },
      ),
    );
    await expect(client(host).manifest('a', 'v1')).rejects.toMatchObject({
      code: 'upstream-limited',
      afterMs,
      message: expect.stringContaining('You have reached your pull rate limit.'),
    });
  });

  test('one that says nothing, one that is not there, one that fails', async () => {
    const silent = await scripted(() => new Promise<Response>(() => {}));
    const failing = await scripted(() => new Response('no', { status: 502 }));
    for (const upstream of [client(silent.host, undefined, 100), client('127.0.0.1:1'), client(failing.host)])
      await expect(upstream.manifest('a', 'v1')).rejects.toMatchObject({
        name: 'Retryable',
        code: 'upstream-unreachable',
      });
  });

  test('content that breaks off is gone on with where it stood', async () => {
    const ranges: (string | undefined)[] = [];
    const server = createServer(({ headers: { range } }, answer) => {
      ranges.push(range);
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      answer.writeHead(from === 0 ? 200 : 206, { 'content-length': layer.bytes.length - from });
      const part = layer.bytes.subarray(from, from + 70_000);
      if (from + part.length === layer.bytes.length) answer.end(part);
      else answer.write(part, () => answer.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body } = await client(host).blob('a', layerDigest);
    expect(sha256(await allOf(body))).toBe(layer.digest);
    expect(ranges.length).toBeGreaterThanOrEqual(3);
  });
});

test('a certificate that is not trusted is told with what helps, and not asked for again', async () => {
  const { certificate, key } = await selfSigned('localhost');
  const server = createTlsServer({ cert: certificate, key }, (_, response) => void response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const ping = (authority?: string) => {
    const made = connection({ url, plainHttp: false, ...(authority === undefined ? {} : { authority }) });
    undo.push(made.close);
    return httpUpstream(made).ping();
  };
  const fault = await ping().catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(Terminal);
  expect(fault).toMatchObject({
    code: 'upstream-untrusted',
    message: expect.stringContaining('has a certificate that is not trusted'),
    remedy: expect.stringContaining('--authority'),
  });
  expect(registryFault(fault, 'MANIFEST_UNKNOWN')).toMatchObject({ code: 'UNKNOWN', status: 502 });
  await ping(certificate);
});
