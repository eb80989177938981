import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { RepositoryName } from '../../../shared/model/image.ts';
import { NamePattern } from '../../../shared/model/pattern.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { makeAsk } from '../../support/ask.ts';
import { testImage, writeLayout } from '../../support/oci-image.ts';
import { type OtherRegistry, otherRegistry } from '../../support/other-registry.ts';

/** Sources, replications and imports as a user types them, and as programs ask for them. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
let server: ApiServer;
let ask: ReturnType<typeof makeAsk>;
let other: OtherRegistry;
let folder: string;
const image = testImage([randomBytes(1_000)]);
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  folder = mkdtempSync(join(tmpdir(), 'test-cli-sources-'));
  server = await startApiServer();
  ask = makeAsk(server);
  other = await otherRegistry();
  await other.client.pushImage('lib/app', 'v1', image);
  const { url, adminKey: key, ca } = server;
  mkdirSync(join(folder, '.berth'));
  writeFileSync(join(folder, '.berth/client.json'), JSON.stringify({ url, key, ca }), { mode: 0o600 });
});
afterAll(async () => {
  await other?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const berth = (args: readonly string[], input = '') =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'dist/cli/berth.mjs'), ...args],
      { cwd: folder, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
const registry = (...args: string[]) => berth(['registry', ...args]);

describe('berth registry subscriptions', () => {
  // It widened one of some repositories to all.
  it('a subscription that is changed keeps what is not named', async () => {
    const create = (...args: string[]) => registry('subscriptions', 'create', 'ci', ...args);
    const url = (path: string) => ['--url', `https://ci.example.com/${path}`];
    const made = await create(...url('one'), '--repositories', 'shop/*', '--actions', 'push,delete');
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('shown this once:')]);
    expect((await create(...url('two'), '--format', 'distribution')).code).toBe(0);
    const listed = JSON.parse((await registry('subscriptions', '--json')).stdout);
    expect(listed).toMatchObject([
      {
        ...{ name: 'ci', repositories: ['shop/*'], actions: ['push', 'delete'], format: 'distribution' },
        sink: { url: 'https://ci.example.com/two' },
      },
    ]);
    const secret = await registry('subscriptions', 'secret', 'ci', '--json');
    expect(secret.stderr).toBe('');
    expect((JSON.parse(secret.stdout) as { secret: string }).secret).toMatch(/^whsec_/);
    expect((await registry('subscriptions', 'delete', 'ci')).code).toBe(0);
  });
});

it('berth registry subscriptions: a word too many and an address that is refused are told with what helps', async () => {
  const all = await registry('subscriptions', 'replay', 'ci', '--all', 'nonsense');
  expect(all).toMatchObject({ code: 2, stderr: expect.stringContaining('"nonsense" is one too many') });
  const create = (url: string) => registry('subscriptions', 'create', 'ci', '--url', url);
  const inside = await create('https://127.0.0.1/');
  expect(inside).toMatchObject({ code: 2, stderr: expect.stringContaining('--allow-private') });
});

describe('berth registry sources', () => {
  it('makes, lists, shows, tests, refreshes and deletes one', async () => {
    const create = ['registry', 'sources', 'create', 'lib', '--from', `${other.host}/lib`, '--plain-http'];
    const made = await berth(
      [...create, '--allow', 'lib/a*', '--freshness', '5', '--username', 'x', '--password-stdin'],
      'reader-key\n',
    );
    expect(made).toMatchObject({ code: 0, stdout: `lib/** mirrors ${other.host}/lib\n` });
    expect((await registry('sources')).stdout).toMatch(
      /lib +lib\/\*\* +127.0.0.1:\d+\/lib +5 min +lib\/a\* +yes\n/,
    );
    const shown = await registry('sources', 'show', 'lib');
    expect(JSON.parse(shown.stdout)).toMatchObject({ prefix: 'lib', path: 'lib', hasCredential: true });
    expect(shown.stdout).not.toContain('reader-key');
    expect((await registry('sources', 'test', 'lib')).stdout).toBe(`${other.host} answers\n`);
    expect((await registry('sources', 'test', 'lib', 'lib/app:v1')).stdout).toContain(image.manifest.digest);
    expect(await registry('sources', 'test', 'lib', 'lib/app:none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not exist there'),
    });
    expect((await registry('sources', 'refresh', 'lib/app:v1')).stdout).toMatch(/v1 +moved +sha256:/);
    expect((await registry('sources', 'refresh', 'lib/app')).stdout).toMatch(/v1 +unchanged +sha256:/);
    expect((await berth(['images', 'list', 'lib/app'])).stdout).toContain('lib/app:v1');
    // A change without a credential keeps the one that there is.
    expect((await berth(create)).code).toBe(0);
    expect((await registry('sources', 'test', 'lib')).code).toBe(0);
    expect((await registry('sources', 'delete', 'lib')).code).toBe(0);
    expect((await registry('sources')).stdout).toContain('There is none yet');
    expect(await registry('sources', 'refresh', 'lib/app')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no source mirrors it'),
    });
  });

  it('takes images as docker names them, with the host of this registry, and refuses what is none in words', async () => {
    const host = new URL(server.url).host;
    await berth(
      [
        'registry',
        'sources',
        'create',
        'lib',
        '--from',
        `${other.host}/lib`,
        '--plain-http',
        '--username',
        'x',
        '--password-stdin',
      ],
      'reader-key',
    );
    expect((await registry('sources', 'test', 'lib', `${host}/lib/app:v1`)).stdout).toContain(
      image.manifest.digest,
    );
    expect((await registry('sources', 'refresh', `${host}/lib/app:v1`)).stdout).toMatch(
      /v1 +(moved|unchanged) /,
    );
    expect((await registry('sources', 'refresh', `${host}/lib/app`)).stdout).toMatch(/v1 +unchanged /);
    const digest = `lib/app@${image.manifest.digest}`;
    for (const [words, said] of [
      [['registry', 'sources', 'test', 'lib', 'Not an image'], 'is not an image reference'],
      [['registry', 'sources', 'test', 'lib', digest], 'is no tag'],
      [['registry', 'sources', 'refresh', 'Not an image'], 'is not an image reference'],
      [['registry', 'sources', 'refresh', digest], 'is no tag'],
      [['images', 'import', `${other.host}/lib/app:v1`, '--as', 'Not an image'], 'is not an image reference'],
      [['images', 'import', `${other.host}/lib/app:v1`, '--as', digest], 'is no tag'],
    ] as const) {
      const { code, stderr } = await berth(words);
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
      expect(stderr).not.toContain('    at ');
    }
    expect((await registry('sources', 'delete', 'lib')).code).toBe(0);
  });

  it('takes nothing into a copy, past the registry neither', async () => {
    const json = { prefix: 'kept', upstream: { url: 'https://r.example' } };
    expect((await ask('PUT', '/api/v1/registry/sources/kept', { json })).status).toBe(200);
    const upload = { repository: 'kept/app', digest: image.manifest.digest, size: 9_000_000 };
    const begun = await ask('POST', '/api/v1/registry/uploads', { json: upload });
    expect([begun.status, begun.json]).toEqual([403, expect.objectContaining({ code: 'denied' })]);
    expect(begun.text).toContain('is a copy that the source kept fetches');
    expect((await ask('DELETE', '/api/v1/registry/sources/kept')).status).toBe(204);
  });

  it('says of a push into a copy what it is, also while its source is down', async () => {
    const json = {
      prefix: 'down',
      upstream: { url: 'http://127.0.0.1:9', plainHttp: true },
    };
    const put = await ask('PUT', '/api/v1/registry/sources/down', { json });
    expect([put.status, put.text]).toEqual([200, expect.anything()]);
    await writeLayout(join(folder, 'layout'), image.manifest, image.blobs);
    const { code, stderr } = await berth(['push', 'layout', 'down/app:v1']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('is a copy that the source down fetches')]);
    expect(stderr).toContain('berth registry sources show down');
    expect((await ask('DELETE', '/api/v1/registry/sources/down')).status).toBe(204);
  });

  it('refuses a password without a name, and addresses that are none, before anything is asked', async () => {
    const create = (...more: string[]) => berth(['registry', 'sources', 'create', 'lib', ...more], 'secret');
    expect(await create('--from', 'r.example', '--password-stdin')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--username'),
    });
    for (const from of ['ftp://r.example/lib', ''])
      expect(await create('--from', from)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('is no address of a registry'),
      });
    expect((await registry('sources')).stdout).toContain('There is none yet');
  });

  it.each([
    [{ upstream: { url: 'http://r.example' }, prefix: 'x' }, 'http is not encrypted'],
    [{ upstream: { url: 'https://r.example/path' }, prefix: 'x' }, 'without a path'],
    [{ upstream: { url: 'https://r.example' }, prefix: 'X/' }, 'expected lower-case'],
    [{ upstream: { url: 'https://r.example' }, prefix: 'x', allow: ['a b'] }, 'expected letters'],
    [{ upstream: { url: 'https://r.example' }, prefix: 'x', freshness: -1 }, 'freshness'],
  ])('%o is refused', async (json, words) => {
    const answer = await ask('PUT', '/api/v1/registry/sources/wrong', { json });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(words);
    expect((await ask('GET', '/api/v1/registry/sources')).json).toEqual({ sources: [] });
  });
});

describe('berth registry replications', () => {
  it('makes, lists, tests, syncs and deletes one; as a subscription it cannot be changed', async () => {
    const made = await berth(
      [
        'registry',
        'replications',
        'create',
        'twin',
        '--to',
        `${other.host}/twin`,
        '--repositories',
        'team/**',
        'base/*',
      ].concat(['--plain-http', '--deletes', '--username', 'x', '--password-stdin']),
      'admin-key',
    );
    expect(made).toMatchObject({ code: 0, stdout: `team/**, base/* goes to ${other.host}/twin\n` });
    expect((await registry('replications')).stdout).toMatch(/twin +team\/\*\*, base\/\* +127.* +followed\n/);
    expect((await registry('replications', 'test', 'twin')).stdout).toBe(`${other.host} answers\n`);
    expect((await registry('replications', 'status', 'twin')).stdout).toBe(
      'Nothing waits: the other registry has it all.\n',
    );
    expect((await registry('replications', 'sync', 'twin')).stdout).toContain('0 images of 0 repositories');
    expect((await registry('subscriptions')).stdout).toContain(`registry http://${other.host}`);
    expect((await registry('subscriptions', 'delete', 'twin')).stderr).toContain('twin is a replication');
    expect((await registry('replications', 'delete', 'twin')).code).toBe(0);
    expect((await registry('replications')).stdout).toContain('There is none yet');
    expect((await registry('replications', 'show', 'twin')).code).toBe(3);
  });
});

describe('imports', () => {
  const start = (json: object, key?: string) =>
    ask('POST', '/api/v1/images/imports', { json, ...(key === undefined ? {} : { key }) });

  it('are started once for each key, and told of', async () => {
    const json = { from: `${other.host}/lib/app:v1`, to: { repository: 'team/app', tag: 'v1' } };
    const headers = { 'idempotency-key': 'one' };
    const [first, second] = [
      await ask('POST', '/api/v1/images/imports', { json, headers }),
      await ask('POST', '/api/v1/images/imports', { json, headers }),
    ];
    expect(first.status).toBe(202);
    expect(second.json).toEqual(first.json);
    expect((await ask('GET', `/api/v1/images/imports/import-${'0'.repeat(40)}`)).status).toBe(404);
  });

  it.each([
    [{ from: 'Not an image' }, 400, 'image-reference-invalid'],
    [{ from: 'docker.io/library/nginx', platform: 'linux' }, 400, 'request-invalid'],
    [{ from: 'docker.io/library/nginx', to: { repository: 'hub/nginx' } }, 409, 'repository-mirrored'],
  ])('%o: %i %s', async (json, status, code) => {
    await ask('PUT', '/api/v1/registry/sources/hub', {
      json: { prefix: 'hub', upstream: { url: 'https://docker.io' } },
    });
    const answer = await start(json);
    expect([answer.status, (answer.json as { code: string }).code]).toEqual([status, code]);
  });

  it('need push where they go, and pull where a credential of ours is used', async () => {
    const store = keyStore(server.tables, server.services.settings.adminKeyHash);
    const grants = (repositories: string, actions: ('pull' | 'push')[]) => [
      { repositories: NamePattern.parse(repositories), actions },
    ];
    const narrow = (await store.create('deployer', '', undefined, grants('team/**', ['pull', 'push']))).text;
    const to = (repository: string) => ({ repository: RepositoryName.parse(repository), tag: 'v1' });
    expect((await start({ from: 'docker.io/library/nginx', to: to('other/app') }, narrow)).status).toBe(403);
    // docker.io is read through the source hub, of whose copies this key may pull none.
    expect((await start({ from: 'docker.io/library/nginx', to: to('team/app') }, narrow)).status).toBe(403);
    expect((await start({ from: 'quay.io/some/app', to: to('team/app') }, narrow)).status).toBe(202);
  });
});
