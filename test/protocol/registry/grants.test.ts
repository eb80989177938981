import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { RepositoryGrantText } from '../../../shared/auth/repository-grant.ts';
import { PolicyName } from '../../../shared/model/names.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { policyStore } from '../../../shared/registry/policy/policy-store.ts';
import { testImage } from '../../support/oci-image.ts';
import { ORIGIN } from '../../support/registry-client.ts';
import { testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';

/** What keys with grants, and callers without a key, get of a registry: from the credential to the bytes. */
const storage = await registryStorages.memory();
const admin = makeKey('admin');
const keys = keyStore(storage.tables, hashKey(admin));
const { handle, deps, reports } = await testRegistry(storage, { credentials: keys });
const publicPolicy = PolicyName.parse('public');
const policies = policyStore(storage.tables, deps.now);
await policies.put(publicPolicy, RepositoryPolicy.parse({ repositories: 'public/**', anonymousPull: true }));
const keyWith = async (role: 'reader' | 'operator' | undefined, ...grants: string[]) =>
  (
    await keys.create(
      role,
      '',
      undefined,
      grants.map((text) => RepositoryGrantText.parse(text)),
    )
  ).text;
const team = await keyWith('operator', 'team/**=pull,push');

const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  handle(new Request(`${ORIGIN}${path}`, { ...init, headers: { ...(init.headers as object), ...headers } }));
const basic = (key: string) => ({ authorization: `Basic ${btoa(`x:${key}`)}` });

/** As a client does it: a token for this scope, with the key or without. */
async function tokenFor(key: string | undefined, ...scopes: string[]): Promise<string> {
  const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('');
  const answer = await ask(`/v2/token?service=berth${query}`, key === undefined ? {} : basic(key));
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { token: string }).token;
}
const accessOf = async (key: string | undefined, ...scopes: string[]) =>
  (await deps.tokens.verify(await tokenFor(key, ...scopes)))?.access;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function push(repository: string): Promise<ReturnType<typeof testImage>> {
  const image = testImage([randomBytes(50)]);
  const token = bearer(await tokenFor(admin, `repository:${repository}:pull,push`));
  for (const { digest, bytes } of image.blobs) {
    const body = bytes as Uint8Array<ArrayBuffer>;
    const pushed = await ask(`/v2/${repository}/blobs/uploads/?digest=${digest}`, token, {
      method: 'POST',
      body,
    });
    expect(pushed.status).toBe(201);
  }
  const put = await ask(`/v2/${repository}/manifests/v1`, token, {
    method: 'PUT',
    body: image.manifest.bytes as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': image.manifest.mediaType },
  });
  expect(put.status, String(reports[0])).toBe(201);
  return image;
}
const images = new Map<string, Awaited<ReturnType<typeof push>>>();
for (const repository of ['public/base', 'private/app', 'team/web', 'team/api', 'other'])
  images.set(repository, await push(repository));

describe('a key with grants', () => {
  test.each([
    ['repository:team/web:pull,push,delete', ['pull', 'push']],
    ['repository:team/not-there:*', ['pull', 'push']],
    ['repository:private/app:pull', undefined],
    ['repository:private/not-there:pull', undefined],
    ['repository:team:push', undefined],
    ['repository:public/base:pull,push', ['pull']],
  ])('for team/** gets of %s: %j', async (scope, actions) => {
    const access = await accessOf(team, scope);
    expect(access?.map((entry) => entry.actions)).toEqual(actions === undefined ? [] : [actions]);
  });

  test('alone is for the registry; one with admin gives all three actions', async () => {
    const mine = await keyWith(undefined, 'team/web=admin');
    expect(await keys.check('', mine)).toMatchObject({ roles: [] });
    expect(await accessOf(mine, 'repository:team/web:*', 'repository:team/api:*')).toEqual([
      { type: 'repository', name: 'team/web', actions: ['pull', 'push', 'delete'] },
    ]);
  });

  test('cannot mount from where it may not pull: the upload begins as any other', async () => {
    const digest = images.get('private/app')?.blobs[0]?.digest ?? '';
    const token = await tokenFor(team, 'repository:team/web:pull,push', 'repository:private/app:pull');
    const answer = await ask(`/v2/team/web/blobs/uploads/?mount=${digest}&from=private/app`, bearer(token), {
      method: 'POST',
    });
    expect(answer.status).toBe(202);
    expect((await ask(`/v2/team/web/blobs/${digest}`, bearer(token))).status).toBe(404);
  });

  test.each([
    ['for nothing', ['nothing=push'], 401, undefined],
    ['for team/**', ['team/**=pull,push'], 200, ['team/api', 'team/web']],
    ['for two patterns', ['other=pull', '*/app=pull'], 200, ['other', 'private/app']],
    ['for all', ['**=pull'], 200, ['other', 'private/app', 'public/base', 'team/api', 'team/web']],
  ])('%s sees in the catalog what it may pull, page by page', async (_what, grants, status, expected) => {
    const token = bearer(await tokenFor(await keyWith('reader', ...grants), 'registry:catalog:*'));
    const found: string[] = [];
    let path: string | undefined = '/v2/_catalog?n=1';
    while (path !== undefined) {
      const answer: Response = await ask(path, token);
      expect(answer.status).toBe(status);
      found.push(...(((await answer.json()) as { repositories?: string[] }).repositories ?? []));
      path = /^<(?<next>[^>]+)>/.exec(answer.headers.get('link') ?? '')?.groups?.next;
    }
    expect(found).toEqual(expected ?? []);
  });
});

describe('who has no key', () => {
  test('pulls what a policy makes public: challenge, token, content', async () => {
    const challenged = await ask('/v2/public/base/manifests/v1');
    expect([challenged.status, challenged.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('scope="repository:public/base:pull"'),
    ]);
    const token = bearer(await tokenFor(undefined, 'repository:public/base:pull'));
    expect((await ask('/v2/', token)).status).toBe(200);
    expect((await ask('/v2/public/base/manifests/v1', token)).status).toBe(200);
    expect((await ask('/v2/public/base/tags/list', token)).status).toBe(200);
    const digest = images.get('public/base')?.blobs[0]?.digest;
    expect((await ask(`/v2/public/base/blobs/${digest}`, token)).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/v2/public/base/blobs/uploads/'],
      ['DELETE', '/v2/public/base/manifests/v1'],
      ['GET', '/v2/private/app/manifests/v1'],
      ['GET', '/v2/_catalog'],
    ] as const)
      expect((await ask(path, token, { method })).status, `${method} ${path}`).toBe(401);
  });

  test('gets no more than to pull, whatever is asked for', async () => {
    const scopes = [
      'repository:public/base:pull,push,delete',
      'repository:public/base:*',
      'registry:catalog:*',
    ];
    const only = [{ type: 'repository', name: 'public/base', actions: ['pull'] }];
    expect(await accessOf(undefined, ...scopes)).toEqual([...only, ...only]);
  });

  test('learns nothing of what is there and what is not', async () => {
    const answers = ['private/app', 'private/not-there', 'other'].map(async (repository) => {
      const token = await ask(`/v2/token?scope=repository:${repository}:pull`);
      const direct = await ask(`/v2/${repository}/manifests/v1`);
      const challenge = direct.headers.get('www-authenticate')?.replaceAll(repository, 'X');
      return [token.status, await token.text(), direct.status, await direct.text(), challenge];
    });
    const [first, ...others] = await Promise.all(answers);
    expect(first?.[0]).toBe(401);
    for (const other of others) expect(other).toEqual(first);
  });

  test('gets nothing once the policy is gone', async () => {
    await policies.remove(publicPolicy);
    const { handle: later } = await testRegistry(storage, { credentials: keys });
    const answer = await later(new Request(`${ORIGIN}/v2/token?scope=repository:public/base:pull`));
    expect(answer.status).toBe(401);
  });
});

test('a token for more scopes than any client wants is refused', async () => {
  const scopes = Array.from({ length: 65 }, (_, index) => `scope=repository:a${index}:pull`).join('&');
  expect((await ask(`/v2/token?${scopes}`, basic(team))).status).toBe(400);
  expect((await ask(`/v2/token?${scopes.slice(0, scopes.lastIndexOf('&'))}`, basic(team))).status).toBe(200);
});

test('grants that are too long for a token give no catalog, and what they give else', async () => {
  const grants = Array.from({ length: 100 }, (_, index) => `${'long'.repeat(20)}${index}/**=pull`);
  const access = await accessOf(
    await keyWith('reader', ...grants),
    'registry:catalog:*',
    `repository:${'long'.repeat(20)}7/a:pull`,
  );
  expect(access).toMatchObject([{ type: 'repository' }]);
});

test('a credential that is wrong is refused, also for what is public', async () => {
  const scope = 'scope=repository:public/base:pull';
  for (const authorization of [
    `Basic ${btoa('x:berth_wrong')}`,
    'Basic',
    'Basic !',
    `Basic ${btoa('x')}`,
    'Bearer x',
  ])
    expect((await ask(`/v2/token?${scope}`, { authorization })).status, authorization).toBe(401);
});
