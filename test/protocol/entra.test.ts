import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { anyCredentials } from '../../shared/auth/any-credentials.ts';
import { assignmentStore } from '../../shared/auth/entra/assignment-store.ts';
import { entraCredentials } from '../../shared/auth/entra/entra-credentials.ts';
import { entraTokens } from '../../shared/auth/entra/entra-tokens.ts';
import { keyStore } from '../../shared/auth/key-store.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { makeAsk } from '../support/ask.ts';
import { ORIGIN } from '../support/registry-client.ts';
import { testRegistry } from '../support/registry-server.ts';
import { startTokenAuthority, type TokenAuthority } from '../support/token-authority.ts';

/** Access tokens of a tenant as credentials: of the registry's token endpoint, and of the HTTP API. */
const AUDIENCE = 'api://berth';
const tables = memoryTables();
const assignments = assignmentStore(tables, () => new Date());
let authority: TokenAuthority;
let server: ApiServer;
let registry: Awaited<ReturnType<typeof testRegistry>>;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  authority = await startTokenAuthority();
  const credentials = anyCredentials([
    keyStore(tables, '0'.repeat(64)),
    entraCredentials(entraTokens(authority.url, [AUDIENCE, 'the-id']), assignments),
  ]);
  server = await startApiServer({ credentials, assignments });
  ask = makeAsk(server);
  registry = await testRegistry({ blobs: memoryBlobs(), tables }, { credentials });
});
afterAll(async () => {
  await server?.close();
  await authority?.close();
});

const oid = randomUUID();
const claims = { oid, appid: randomUUID(), tid: randomUUID(), ver: '1.0' };
const valid = (more: object = {}, audience = AUDIENCE) =>
  authority.issue({ ...claims, ...more }, { audience });

const tokenStatus = async (secret: string, user = '00000000-0000-0000-0000-000000000000') =>
  (
    await registry.handle(
      new Request(`${ORIGIN}/v2/token?scope=repository:team/web:pull`, {
        headers: { authorization: `Basic ${btoa(`${user}:${secret}`)}` },
      }),
    )
  ).status;
const apiStatus = async (bearer: string) => (await ask('GET', '/api/v1/status', { key: bearer })).status;

describe('a token of the tenant', () => {
  it('is known without an assignment, and may do nothing', async () => {
    const token = await valid();
    expect(await tokenStatus(token)).toBe(200);
    const answer = await ask('GET', '/api/v1/status', { key: token });
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining(oid)]);
  });

  it('gives what is assigned to its principal, its groups and its app roles', async () => {
    const group = randomUUID();
    const token = await valid({ groups: [group], roles: ['Team.Push'] });
    await assignments.put({
      subject: `principal:${oid}` as never,
      role: 'reader',
      description: '',
      assignedAt: new Date().toISOString(),
    });
    expect(await apiStatus(token)).toBe(200);
    await assignments.put({
      subject: 'role:Team.Push' as never,
      repositories: [{ repositories: 'team/**' as never, actions: ['push'] }],
      description: '',
      assignedAt: new Date().toISOString(),
    });
    for (const form of [
      { grant_type: 'password', username: '0', password: token },
      { grant_type: 'access_token', access_token: token },
      { grant_type: 'refresh_token', refresh_token: token },
    ]) {
      const scope = 'repository:team/web:pull,push,delete repository:other:pull,push';
      const answer = await registry.handle(
        new Request(`${ORIGIN}/v2/token`, { method: 'POST', body: new URLSearchParams({ ...form, scope }) }),
      );
      const { access_token } = (await answer.json()) as { access_token: string };
      expect(await registry.deps.tokens.verify(access_token)).toEqual({
        id: oid,
        access: [
          { type: 'repository', name: 'team/web', actions: ['pull', 'push'] },
          { type: 'repository', name: 'other', actions: ['pull'] },
        ],
      });
    }
    await assignments.remove(`principal:${oid}` as never);
    expect(await apiStatus(token)).toBe(403);
  });

  it('of version 2.0 names the application id as its audience', async () => {
    const { appid, ...rest } = claims;
    const token = await authority.issue({ ...rest, azp: appid, ver: '2.0' }, { audience: 'the-id' });
    expect(await tokenStatus(token)).toBe(200);
  });

  it.each([
    ['another audience', () => valid({}, 'https://management.azure.com/')],
    [
      'another issuer',
      () => authority.issue(claims, { audience: AUDIENCE, issuer: 'https://sts.example.org/other/' }),
    ],
    ['expired', () => authority.issue(claims, { audience: AUDIENCE, expires: '-2min' })],
    ['not yet', () => valid({ nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['of nobody', () => authority.issue({ appid: 'x' }, { audience: AUDIENCE })],
    [
      'of a sign-in, which is for the application itself',
      () => authority.issue({ oid }, { audience: AUDIENCE }),
    ],
    [
      'changed',
      async () =>
        (await valid()).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ ...claims, iss: 'x' })).toString('base64url')}.`,
        ),
    ],
    [
      'alg none',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await valid()).split('.')[1]}.x`,
    ],
    ['no token at all', async () => 'a.b.c'],
    ["the registry's own", () => registry.deps.tokens.issue(oid, [], 60)],
  ])('%s is refused', async (_what, make) => {
    const token = await make();
    expect([await tokenStatus(token), await apiStatus(token)]).toEqual([401, 401]);
  });

  test('is not taken where no audience is set', async () => {
    expect(await entraTokens(authority.url, []).callerOf(await valid())).toBeUndefined();
  });

  test('cannot be checked while the authority is away: later, not refused', async () => {
    const away = entraCredentials(entraTokens('http://127.0.0.1:9', [AUDIENCE]), assignments);
    const { handle, reports } = await testRegistry({ blobs: memoryBlobs(), tables }, { credentials: away });
    const answer = await handle(
      new Request(`${ORIGIN}/v2/token`, {
        headers: { authorization: `Basic ${btoa(`x:${await valid()}`)}` },
      }),
    );
    expect([answer.status, answer.headers.get('retry-after'), reports.length]).toEqual([503, '1', 1]);
  });
});

describe('access', () => {
  const admin = randomUUID();
  const path = (subject: string) => `/api/v1/access/${encodeURIComponent(subject)}`;

  it('is set, listed and taken away by an admin', async () => {
    await assignments.put({
      subject: `principal:${admin}` as never,
      role: 'admin',
      description: '',
      assignedAt: new Date().toISOString(),
    });
    const key = await valid({ oid: admin });
    const subject = `group:${randomUUID()}`;
    const json = {
      role: 'deployer',
      repositories: [{ repositories: 'team/**', actions: ['pull'] }],
      description: 'Team',
    };
    const put = await ask('PUT', path(subject), { key, json });
    expect([put.status, put.json]).toMatchObject([200, { subject, ...json }]);
    const list = async () =>
      (await ask('GET', '/api/v1/access', { key })).json as { assignments: { subject: string }[] };
    expect((await list()).assignments).toContainEqual(expect.objectContaining({ subject, ...json }));
    expect((await ask('DELETE', path(subject), { key })).status).toBe(204);
    expect((await list()).assignments.map((one) => one.subject)).not.toContain(subject);
    for (const [to, body] of [
      ['user:x', { role: 'reader' }],
      [subject, {}],
      [subject, { role: 'admin', repositories: json.repositories }],
    ] as const)
      expect((await ask('PUT', path(to), { key, json: body })).status).toBe(400);
  });
});
