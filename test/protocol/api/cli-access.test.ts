import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { makeAsk } from '../../support/ask.ts';

/** The verbs about who may do what, as a user types them. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
let world: ApiWorld;
let folder: string;
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  folder = mkdtempSync(join(tmpdir(), 'test-cli-access-'));
  world = await startApiWorld();
  const { url, adminKey: key, ca } = world.server;
  mkdirSync(join(folder, '.berth'));
  writeFileSync(join(folder, '.berth/client.json'), JSON.stringify({ url, key, ca }), { mode: 0o600 });
});
afterAll(async () => {
  await world?.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const berth = (args: readonly string[], environment: Record<string, string> = {}) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', ...environment };
    execFile(
      process.execPath,
      [join(root, 'dist/cli/berth.mjs'), ...args],
      { cwd: folder, env },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

it('a key with grants does in the registry what they say', async () => {
  for (const image of ['team/web:1', 'other/app:1']) await world.push(image);
  const grants = ['--repositories', 'team/**=pull,push', '--repositories', 'base/*=pull'];
  const made = await berth(['keys', 'create', ...grants, '--description', 'CI']);
  expect(made).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('with team/**=pull,push base/*=pull.'),
  });
  expect((await berth(['keys'])).stdout).toMatch(/ - +team\/\*\*=pull,push base\/\*=pull +\d+s +- +CI\n/);
  const key = {
    BERTH_URL: world.server.url,
    BERTH_CA: join(folder, 'ca.pem'),
    BERTH_KEY: made.stdout.trim(),
  };
  writeFileSync(key.BERTH_CA, world.server.ca);
  const listed = await berth(['images', 'list', '--json'], key);
  expect(listed.stdout).toContain('team/web');
  expect(listed.stdout).not.toContain('other/app');
  expect((await berth(['status'], key)).code).toBe(4);
});

it('access is set, listed and removed; what is wrong is told', async () => {
  const group = 'group:6f1c0000-0000-4000-8000-000000000001';
  expect((await berth(['access', 'set', group, 'deployer', '--description', 'Developers'])).code).toBe(0);
  expect((await berth(['access', 'set', 'role:Push', '--repositories', 'a/**=push'])).code).toBe(0);
  const { stdout } = await berth(['access', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([
    { subject: group, role: 'deployer', description: 'Developers' },
    { subject: 'role:Push', repositories: [{ repositories: 'a/**', actions: ['push'] }] },
  ]);
  expect((await berth(['access', 'remove', group])).code).toBe(0);
  expect((await berth(['access'])).stdout).not.toContain(group);
  for (const wrong of [
    ['access', 'set', 'user:x', 'reader'],
    ['access', 'set', group],
    ['access', 'set', group, 'reader', '--repositories', 'a=own'],
    ['keys', 'create', 'admin', '--repositories', 'a=pull'],
  ])
    expect((await berth(wrong)).code, wrong.join(' ')).toBe(2);
});

it('a key that would be of no use is not made, and one that is not there is not said to be revoked', async () => {
  const listed = async () => JSON.parse((await berth(['keys', '--json'])).stdout).length;
  const before = await listed();
  for (const time of ['10m', '2020-01-01T00:00:00Z', 'yesterday'])
    expect(await berth(['keys', 'create', 'reader', '--expires', time])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected a time to come'),
    });
  const ask = makeAsk(world.server);
  const past = await ask('POST', '/api/v1/keys', {
    json: { role: 'reader', expiresAt: '2020-01-01T00:00:00Z' },
  });
  expect([past.status, past.json]).toEqual([400, expect.objectContaining({ code: 'expiry-past' })]);
  expect(await listed()).toBe(before);
  for (const id of ['nothere', 'admin'])
    expect(await berth(['keys', 'revoke', id])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`There is no key ${id}.`),
    });
  expect((await berth(['access', 'remove', 'role:Nobody'])).code).toBe(3);
  const made = await berth(['keys', 'create', 'reader', '--expires', '2999-01-01T00:00:00Z', '--json']);
  const { id } = JSON.parse(made.stdout).key;
  expect((await berth(['keys', 'revoke', id])).code).toBe(0);
  expect((await berth(['keys', 'revoke', id])).code).toBe(3);
});

it('keys of tokens are listed, rotated and revoked', async () => {
  const states = async (...args: string[]) =>
    (
      JSON.parse((await berth(['registry', 'token-keys', ...args, '--json'])).stdout) as { state: string }[]
    ).map(({ state }) => state);
  expect(await states()).toEqual(['signing']);
  expect(await states('rotate')).toEqual(['next', 'signing']);
  expect(await states('rotate', '--revoke')).toEqual(['signing']);
});
