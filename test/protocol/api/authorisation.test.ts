import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../../shared/api/routes.ts';
import { makeKey } from '../../../shared/auth/api-key.ts';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { allows, Role } from '../../../shared/auth/permissions.ts';
import { type ApiServer, endpoints, startApiServer } from '../../support/api-server.ts';
import { makeAsk } from '../../support/ask.ts';

let server: ApiServer;
const keys = new Map<string, string | undefined>();

beforeAll(async () => {
  server = await startApiServer();
  const store = keyStore(server.tables, server.services.settings.adminKeyHash);
  keys.set('none', undefined);
  keys.set('malformed', 'berth_x');
  keys.set('unknown', makeKey());
  keys.set('expired', (await store.create('admin', '', '2020-01-01T00:00:00.000Z')).text);
  for (const role of Role.options) keys.set(role, (await store.create(role, '')).text);
  const revoked = await store.create('admin', '');
  await store.revoke(revoked.key.id);
  keys.set('revoked', revoked.text);
});
afterAll(() => server.close());

/** A path that no record has: whoever may, gets 404 or an empty list; whoever may not, does not even learn that. */
const concrete = (path: string): string =>
  path
    .replace('{replica}', '0.g1')
    .replace('{hash}', 'a'.repeat(40))
    .replace(/\{\w+\}/g, 'nothing');

describe('authorisation', () => {
  it('is asked by every route that there is', () => {
    expect(endpoints.map(({ route }) => route.name).sort()).toEqual(routes.map(({ name }) => name).sort());
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s: none, malformed, unknown, expired, revoked, and each role',
    async (_title, route) => {
      const ask = makeAsk(server);
      const before = JSON.stringify(await all(server));
      for (const [who, key] of keys) {
        const role = Role.safeParse(who);
        const isAllowed = allows(role.success ? [role.data] : [], route.permission);
        if (isAllowed) continue;
        const answer = await ask(route.method, concrete(route.path), { key, json: {} });
        expect([who, answer.status]).toEqual([who, role.success ? 403 : 401]);
        expect(answer.json).toMatchObject({ code: role.success ? 'forbidden' : 'unauthenticated' });
        if (!role.success) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      }
      expect(JSON.stringify(await all(server))).toBe(before);
      for (const [who, key] of keys) {
        const role = Role.safeParse(who);
        if (!allows(role.success ? [role.data] : [], route.permission)) continue;
        const answer = await ask(route.method, concrete(route.path), { key, json: {} });
        expect(answer.status, `${who}: ${answer.text}`).toSatisfy(
          (status: number) => status < 500 && status !== 401 && status !== 403,
        );
      }
    },
  );

  it('takes the key as the password of Basic too', async () => {
    const credentials = Buffer.from(`anyone:${server.adminKey}`).toString('base64');
    const answer = await makeAsk(server)('GET', '/api/v1/status', { authorization: `Basic ${credentials}` });
    expect(answer.status).toBe(200);
  });
});

async function all({ tables }: ApiServer): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const table of ['apikeys', 'events', 'applications', 'services', 'runs', 'hooks'])
    for await (const row of tables.list(table, {})) rows.push(row);
  return rows;
}
