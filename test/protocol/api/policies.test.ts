import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
});
afterAll(() => world.server.close());

const path = '/api/v1/registry/policies';
const release = {
  repositories: 'shop/**',
  immutableTags: ['v*'],
  quota: 1_000_000,
  retention: [{ tags: ['dev-*'], keepLast: 5 }],
};

it('policies are set, listed, shown and removed, and say together what holds', async () => {
  expect((await ask('GET', path)).json).toEqual({ policies: [] });
  expect((await ask('PUT', `${path}/release`, { json: release })).status).toBe(200);
  const text = 'repositories: "**"\nquota: 5000\nrestorableForDays: 30\n';
  expect((await ask('PUT', `${path}/all`, { text, type: 'application/yaml' })).status).toBe(200);
  expect((await ask('GET', path)).json).toMatchObject({ policies: [{ name: 'all' }, { name: 'release' }] });
  expect((await ask('GET', `${path}/release`)).json).toEqual({
    ...release,
    retention: [{ tags: ['dev-*'], keepLast: 5, keepRunning: true }],
  });
  const effective = '/api/v1/registry/effective-policy?repository=shop/web';
  expect((await ask('GET', effective)).json).toMatchObject({
    quota: 1_000_000,
    restorableForDays: 30,
    immutableTags: ['v*'],
    policies: ['release', 'all'],
  });
  expect((await ask('DELETE', `${path}/release`)).status).toBe(204);
  expect((await ask('GET', effective)).json).toMatchObject({ quota: 5000, policies: ['all'] });
  expect((await ask('DELETE', `${path}/release`)).json).toMatchObject({ code: 'policy-not-found' });
});

it.each([
  ['an unknown key', 'repositories: a\nquotas: 1\n', 2, 'Did you mean "quota"?'],
  ['a bad pattern', 'repositories: "a***"\n', 1, 'at most two * in a row'],
  [
    'a rule that keeps nothing',
    'repositories: a\nretention:\n  - tags: [x]\n',
    3,
    'at least one of keepLast',
  ],
  ['a negative quota', 'repositories: a\nquota: -1\n', 2, '>0'],
])('%s is told with its place, and nothing is set', async (_what, text, line, words) => {
  const { status, json } = await ask('PUT', `${path}/bad`, { text, type: 'application/yaml' });
  expect(status).toBe(400);
  expect(json).toMatchObject({ code: 'policy-invalid', issues: [{ line }] });
  expect((json as { detail: string }).detail).toContain(words);
  expect((await ask('GET', `${path}/bad`)).status).toBe(404);
});

it('only who administers all the repositories of a policy may set it', async () => {
  const key = async (json: object) =>
    ((await ask('POST', '/api/v1/keys', { json })).json as { text: string }).text;
  const team = await key({ repositories: [{ repositories: 'team/**', actions: ['admin'] }] });
  const put = (repositories: string, name: string) =>
    ask('PUT', `${path}/${name}`, { json: { repositories, quota: 1 }, key: team });
  expect((await put('team/web', 'mine')).status).toBe(200);
  expect((await put('**', 'mine')).status).toBe(403);
  expect((await put('team/web', 'all')).status).toBe(403);
  expect((await ask('GET', path, { key: team })).json).toMatchObject({ policies: [{ name: 'mine' }] });
  expect((await ask('GET', path, { key: await key({ role: 'operator' }) })).status).toBe(403);
});
