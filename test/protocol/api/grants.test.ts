import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

/** What keys with grants may do with the API, and the keys of the registry's tokens. */
let world: ApiWorld;
let ask: ReturnType<typeof makeAsk>;
beforeAll(async () => {
  world = await startApiWorld();
  ask = makeAsk(world.server);
  for (const image of ['team/web:1', 'team/api:1', 'other/app:1']) await world.push(image);
});
afterAll(() => world.server.close());

const keyOf = async (json: object): Promise<string> => {
  const answer = await ask('POST', '/api/v1/keys', { json });
  expect(answer.status, answer.text).toBe(201);
  return (answer.json as { text: string }).text;
};
const listed = async (key: string): Promise<string[]> => {
  const answer = await ask('GET', '/api/v1/images', { key });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json as { images: { repository: string }[] }).images.map(({ repository }) => repository);
};
const team = [{ repositories: 'team/**', actions: ['pull', 'push'] }];

describe('a key with grants', () => {
  it('lists the images that it may pull, and says of itself what it may', async () => {
    const key = await keyOf({ role: 'deployer', repositories: team });
    expect(await listed(key)).toEqual(['team/api', 'team/web']);
    expect((await ask('GET', '/api/v1/keys')).json).toMatchObject({
      keys: expect.arrayContaining([expect.objectContaining({ role: 'deployer', repositories: team })]),
    });
    expect((await ask('GET', '/api/v1/status', { key })).status).toBe(200);
  });

  it('without a role is for the registry alone', async () => {
    const key = await keyOf({ repositories: team });
    expect(await listed(key)).toEqual(['team/api', 'team/web']);
    for (const path of ['/api/v1/status', '/api/v1/keys', '/api/v1/environments/dev/applications'])
      expect((await ask('GET', path, { key })).status, path).toBe(403);
  });

  it('may not list what it may only push', async () => {
    const key = await keyOf({ role: 'operator', repositories: [{ repositories: '**', actions: ['push'] }] });
    expect((await ask('GET', '/api/v1/images', { key })).status).toBe(403);
  });

  it.each([
    ['nothing', {}],
    ['an admin with grants', { role: 'admin', repositories: team }],
    ['no grants', { repositories: [] }],
    ['an unknown action', { repositories: [{ repositories: 'a', actions: ['own'] }] }],
    ['no action', { repositories: [{ repositories: 'a', actions: [] }] }],
    ['a pattern that is none', { repositories: [{ repositories: 'a b', actions: ['pull'] }] }],
  ])('is not made of %s', async (_what, json) => {
    const before = (await ask('GET', '/api/v1/keys')).text;
    expect((await ask('POST', '/api/v1/keys', { json })).status).toBe(400);
    expect((await ask('GET', '/api/v1/keys')).text).toBe(before);
  });
});

describe("the keys of the registry's tokens", () => {
  const path = '/api/v1/registry/token-keys';
  const states = (json: unknown) => (json as { keys: { state: string }[] }).keys.map(({ state }) => state);

  it('rotate, and are replaced', async () => {
    expect(states((await ask('GET', path)).json)).toEqual(['signing']);
    const rotated = await ask('POST', path, { json: {} });
    expect([rotated.status, states(rotated.json)]).toEqual([201, ['next', 'signing']]);
    const replaced = await ask('POST', path, { json: { revoke: true } });
    expect(states(replaced.json)).toEqual(['signing']);
    expect(replaced.text).not.toContain('"d"');
  });
});
