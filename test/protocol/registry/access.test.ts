import { createHmac, randomBytes } from 'node:crypto';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import { expect, test } from 'vitest';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { makeTokenKey } from '../../../shared/registry/token-keys/token-key.ts';
import { registryTokens } from '../../../shared/registry/tokens.ts';
import { testImage } from '../../support/oci-image.ts';
import { ORIGIN, registryClient } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';

let now = new Date('2026-11-25T12:00:00Z');
const storage = await registryStorages.memory();
const { handle, deps } = await testRegistry(storage, { now: () => now });
const image = testImage([randomBytes(100)]);
await registryClient(handle).pushImage('a/b', 'v1', image);

const get = (path: string, token?: string, method = 'GET') =>
  handle(
    new Request(`${ORIGIN}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }),
  );
const problem = async (response: Response) => [
  response.status,
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code,
];

test('without a token a client is told where to get one, under the host that it asked', async () => {
  const answer = await handle(new Request('https://10.1.2.3:8443/v2/'));
  expect(await problem(answer)).toEqual([401, 'UNAUTHORIZED']);
  expect(answer.headers.get('www-authenticate')).toBe(
    'Bearer realm="https://10.1.2.3:8443/v2/token",service="berth"',
  );
  expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
});

test('every resource asks for a token, with its scope', async () => {
  const digest = image.manifest.digest;
  for (const [method, path, scope] of [
    ['GET', '/v2/a/b/tags/list', 'repository:a/b:pull'],
    ['GET', '/v2/a/b/manifests/v1', 'repository:a/b:pull'],
    ['PUT', '/v2/a/b/manifests/v1', 'repository:a/b:pull,push'],
    ['DELETE', '/v2/a/b/manifests/v1', 'repository:a/b:delete'],
    ['HEAD', `/v2/a/b/blobs/${digest}`, 'repository:a/b:pull'],
    ['DELETE', `/v2/a/b/blobs/${digest}`, 'repository:a/b:delete'],
    ['POST', '/v2/a/b/blobs/uploads/', 'repository:a/b:pull,push'],
    ['PATCH', '/v2/a/b/blobs/uploads/x', 'repository:a/b:pull,push'],
    ['GET', `/v2/a/b/referrers/${digest}`, 'repository:a/b:pull'],
    ['GET', '/v2/_catalog', 'registry:catalog:*'],
  ] as const) {
    const answer = await get(path, undefined, method);
    expect(answer.status, `${method} ${path}`).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
  }
});

test('a pull token pulls from its repository, for its time, and does nothing else', async () => {
  const token = await deps.tokens.issuePullToken('a/b' as RepositoryName, 60);
  expect((await get('/v2/a/b/manifests/v1', token)).status).toBe(200);
  const push = await get('/v2/a/b/blobs/uploads/', token, 'POST');
  expect(push.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  expect(await problem(push)).toEqual([401, 'DENIED']);
  expect(await problem(await get('/v2/a/c/manifests/v1', token))).toEqual([401, 'DENIED']);
  expect(await problem(await get('/v2/_catalog', token))).toEqual([401, 'DENIED']);
  const before = now;
  now = new Date(now.getTime() + 61_000);
  const late = await get('/v2/a/b/manifests/v1', token);
  now = before;
  expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await problem(late)).toEqual([401, 'UNAUTHORIZED']);
});

test('tokens of others are refused', async () => {
  const access = [{ type: 'repository', name: 'a/b', actions: ['pull'] }];
  const key = await makeTokenKey();
  const foreign = await registryTokens({ keys: async () => [key] }, () => now).issue(
    'x',
    access as never,
    60,
  );
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  expect((await exportJWK(privateKey)).kty).toBe('EC');
  const unnamed = await new SignJWT({ access })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('berth')
    .setAudience('berth')
    .setSubject('x')
    .setExpirationTime('1h')
    .sign(privateKey);
  const [head, body] = (await deps.tokens.issuePullToken('a/b' as RepositoryName, 60)).split('.');
  const none = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${body}.`;
  for (const token of [foreign, unnamed, none, `${head}.${body}.AAAA`, 'nonsense'])
    expect(await problem(await get('/v2/a/b/manifests/v1', token))).toEqual([401, 'UNAUTHORIZED']);
});

test('a token of a known key is good as it was made, and not with any other audience, issuer, time or algorithm', async () => {
  const [ours, removed] = [await makeTokenKey(), await makeTokenKey()];
  const { handle: guarded } = await testRegistry(storage, {
    now: () => now,
    tokens: registryTokens({ keys: async () => [ours] }, () => now),
  });
  const seconds = Math.floor(now.getTime() / 1000);
  const good = {
    iss: 'berth',
    aud: 'berth',
    sub: 'x',
    iat: seconds,
    exp: seconds + 60,
    access: [{ type: 'repository', name: 'a/b', actions: ['pull'] }],
  };
  const { d: _private, ...open } = ours;
  const kid = await calculateJwkThumbprint(open);
  const signed = async (claims: object, key = ours, header: object = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', kid, ...header })
      .sign(await importJWK(key, 'ES256'));
  const statusOf = async (token: string) =>
    (
      await guarded(
        new Request(`${ORIGIN}/v2/a/b/manifests/v1`, { headers: { authorization: `Bearer ${token}` } }),
      )
    ).status;
  expect(await statusOf(await signed(good))).toBe(200);

  const { exp: _exp, ...endless } = good;
  const { sub: _sub, ...nameless } = good;
  const bad: [string, string][] = [
    ['another audience', await signed({ ...good, aud: 'api://berth' })],
    ['another issuer', await signed({ ...good, iss: 'https://sts.windows.net/x/' })],
    ['expired', await signed({ ...good, exp: seconds - 1 })],
    ['not yet', await signed({ ...good, nbf: seconds + 60 })],
    ['for ever', await signed(endless)],
    ['of nobody', await signed(nameless)],
    [
      'access that is none',
      await signed({ ...good, access: [{ type: 'repository', name: 'a/b', actions: ['own'] }] }),
    ],
    ['a removed key', await signed(good, removed, { kid: await calculateJwkThumbprint(removed) })],
    ["another key under this key's name", await signed(good, removed)],
    ['the key that it brings itself', await signed(good, removed, { jwk: removed, kid: undefined })],
  ];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const alg of ['none', 'None', 'NONE']) bad.push([alg, `${encode({ alg, kid })}.${encode(good)}.`]);
  // The public key, which everybody has, as the secret of a symmetric signature.
  const content = `${encode({ alg: 'HS256', kid })}.${encode(good)}`;
  for (const secret of [JSON.stringify(open), ours.x])
    bad.push(['HS256', `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`]);
  // More rights under the signature of fewer.
  const [head, , signature] = (await signed(good)).split('.');
  const more = {
    ...good,
    access: [{ type: 'repository', name: 'a/b', actions: ['pull', 'push', 'delete'] }],
  };
  bad.push(['changed', `${head}.${encode(more)}.${signature}`]);
  for (const [what, token] of bad) expect([what, await statusOf(token)]).toEqual([what, 401]);
});

test('the keys that verify tokens are published', async () => {
  const answer = await get('/v2/token/jwks');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/jwk-set+json']);
  const jwks = (await answer.json()) as JSONWebKeySet;
  const token = await deps.tokens.issue('x', [], 60);
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
    audience: 'berth',
    currentDate: now,
  });
  expect(payload.sub).toBe('x');
  expect(JSON.stringify(jwks)).not.toContain('"d"');
  expect((await get('/v2/token/jwks', undefined, 'DELETE')).status).toBe(404);
});

test('a token of the key before is good while that key is kept', async () => {
  const [before, after] = [await makeTokenKey(), await makeTokenKey()];
  const old = await registryTokens({ keys: async () => [before] }, () => now).issue('x', [], 60);
  expect(await registryTokens({ keys: async () => [after, before] }, () => now).verify(old)).toMatchObject({
    access: [],
  });
  expect(await registryTokens({ keys: async () => [after] }, () => now).verify(old)).toBeUndefined();
});

const tokenFor = async (role: string, scope: string): Promise<string> => {
  const answer = await handle(
    new Request(`${ORIGIN}/v2/token?service=berth&scope=${encodeURIComponent(scope)}`, {
      headers: { authorization: `Basic ${btoa(`x:${role}-key`)}` },
    }),
  );
  return ((await answer.json()) as { token: string }).token;
};

test.each([
  ['reader', ['pull']],
  ['deployer', ['pull', 'push']],
  ['operator', ['pull', 'push', 'delete']],
  ['admin', ['pull', 'push', 'delete']],
])('a %s gets %j and no more', async (role, actions) => {
  const verified = await deps.tokens.verify(await tokenFor(role, 'repository:a/b:pull,push,delete'));
  expect(verified).toEqual({ id: role, access: [{ type: 'repository', name: 'a/b', actions }] });
});

test('scopes: several, all actions, the catalog; others are left out', async () => {
  const scopes = 'repository:a/b:* registry:catalog:* repository:Bad:pull plugin:x:pull nonsense';
  expect(await deps.tokens.verify(await tokenFor('reader', scopes))).toMatchObject({
    access: [
      { type: 'repository', name: 'a/b', actions: ['pull'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ],
  });
});

test('a wrong key gets no token, by GET or by POST; a form with the right one does', async () => {
  const basic = await handle(
    new Request(`${ORIGIN}/v2/token`, { headers: { authorization: `Basic ${btoa('x:wrong')}` } }),
  );
  expect(await problem(basic)).toEqual([401, 'UNAUTHORIZED']);
  const post = (form: Record<string, string>) =>
    handle(new Request(`${ORIGIN}/v2/token`, { method: 'POST', body: new URLSearchParams(form) }));
  const password = { grant_type: 'password', username: 'x', scope: 'repository:a/b:pull' };
  expect((await post({ ...password, password: 'wrong' })).status).toBe(401);
  for (const form of [
    { grant_type: 'client_credentials' },
    { grant_type: 'refresh_token' },
    { grant_type: 'password' },
  ])
    expect((await post(form as Record<string, string>)).status).toBe(400);
  expect((await post({ grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401);
  for (const kind of ['refresh_token', 'access_token'])
    expect((await post({ grant_type: kind, [kind]: 'reader-key' })).status).toBe(200);
  const good = (await (await post({ ...password, password: 'reader-key' })).json()) as {
    access_token: string;
  };
  expect((await get('/v2/a/b/manifests/v1', good.access_token)).status).toBe(200);
});
