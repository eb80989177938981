import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { RepositoryGrant } from '../../../shared/auth/repository-grant.ts';
import { PolicyName } from '../../../shared/model/names.ts';
import { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { azureBlobs } from '../../../shared/state/blobs.azure.ts';
import type { Blobs } from '../../../shared/state/blobs.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { until } from '../../support/conditions.ts';
import { startDockerEngine } from '../../support/docker-engine.ts';
import { sha256, testImage, testIndex, writeLayout } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { serveHandler, type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { long } from '../../support/sample.ts';
import { startTestStorage, type TestStorage } from '../../support/storage.ts';
import { hasProgram, isRoot, run } from '../../support/tool.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const bundle = join(root, 'dist/cli/berth.mjs');
const MiB = 1024 * 1024;

const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
const runtimes = [process.execPath, '/usr/bin/node', '/usr/local/bin/node']
  .filter(existsSync)
  .filter((node, index, all) => all.findIndex((other) => versionOf(other) === versionOf(node)) === index);

let directory: string;
let storage: TestStorage;
let blobs: Blobs;
let server: ApiServer;
/** The same registry over plain HTTP, with a key for each role. */
let registry: TestRegistry;
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  directory = mkdtempSync(join(tmpdir(), 'test-push-'));
  storage = await startTestStorage();
  blobs = azureBlobs(storage.blobUri, 'registry', storage.credential);
  server = await startApiServer({}, gated(blobs));
  registry = await testRegistry({ blobs, tables: server.tables });
});
afterAll(async () => {
  await server?.close();
  await storage?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder from which berth finds the server, with a cache of its own. */
function makeHome(name: string, key = server.adminKey): string {
  const home = join(directory, name);
  mkdirSync(join(home, '.berth'), { recursive: true });
  const ca = server.ca + readFileSync(storage.environment['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8');
  writeFileSync(join(home, '.berth/client.json'), JSON.stringify({ url: server.url, key, ca }));
  return home;
}

/** While it is closed no upload is put together: the requests for it wait, and fail when it opens. */
let gate: Promise<void> | undefined;
function closeGate(): () => void {
  let open = () => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  return () => {
    gate = undefined;
    open();
  };
}
const gated = (inner: Blobs): Blobs => ({
  ...inner,
  async commitBlocks(...of) {
    if (gate === undefined) return inner.commitBlocks(...of);
    await gate;
    throw new Error('the process ended here');
  },
});

const children = new Set<() => void>();
afterAll(() => {
  for (const kill of children) kill();
});

function start(node: string, home: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(node, [bundle, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH ?? '', HOME: home, XDG_CACHE_HOME: join(home, 'cache'), ...env },
  });
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => void child.kill(signal);
  children.add(kill);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end();
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      children.delete(kill);
      resolve({ code, stdout, stderr });
    });
  });
  return { ended, kill, pid: child.pid ?? 0 };
}

const stagedBytes = async (): Promise<number> => {
  let sum = 0;
  for await (const { name } of blobs.list('uploads/')) {
    const staged = await blobs.stagedBlocks(name.replace('uploads/', 'data/'));
    sum += staged.reduce((bytes, { size }) => bytes + size, 0);
  }
  return sum;
};

/** Content of a blob, wherever it is served from. */
const pulled = async (repository: string, digest: string): Promise<Uint8Array> => {
  const answer = await registryClient(registry.handle).request('GET', `/v2/${repository}/blobs/${digest}`);
  const location = answer.headers.get('location');
  return location === null ? answer.bytes() : (await fetch(location)).bytes();
};
const manifestOf = async (repository: string, tag: string) => {
  const answer = await registryClient(registry.handle).request('GET', `/v2/${repository}/manifests/${tag}`);
  return { digest: answer.headers.get('docker-content-digest'), json: JSON.parse(await answer.text()) };
};

/** A tar with one file. */
async function tarOf(name: string, bytes: Uint8Array): Promise<string> {
  const folder = join(directory, `tree-${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'file'), bytes);
  await run('tar', ['-C', folder, '-cf', join(directory, `${name}.tar`), 'file']);
  return join(directory, `${name}.tar`);
}

/** What docker save writes for an image of these layers: https://github.com/moby/docker-image-spec/blob/v1.2.0/spec.md */
async function savedImage(name: string, layers: readonly string[]): Promise<string> {
  const folder = join(directory, `saved-${name}`);
  const diffIds = layers.map((file) => sha256(readFileSync(file)));
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
  );
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  mkdirSync(folder, { recursive: true });
  for (const [index, file] of layers.entries()) {
    mkdirSync(join(folder, String(index)), { recursive: true });
    writeFileSync(join(folder, String(index), 'layer.tar'), readFileSync(file));
  }
  writeFileSync(join(folder, configName), config);
  const manifest = [
    { Config: configName, RepoTags: [`${name}:1`], Layers: layers.map((_, index) => `${index}/layer.tar`) },
  ];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const file = join(directory, `saved-${name}.tar`);
  await run('tar', ['-C', folder, '-cf', file, '.']);
  return file;
}

describe.each(runtimes.map((node) => [versionOf(node), node] as const))(
  'berth push on Node.js %s',
  (version, node) => {
    const home = () => makeHome(version);
    const berth = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
      start(node, home(), args, env).ended;
    const repository = `push/${version.replaceAll('.', '-')}`;

    it('sends a layout as it is, straight to the storage, and nothing twice', async () => {
      const images = [testImage([randomBytes(9 * MiB), randomBytes(100)]), testImage([randomBytes(5000)])];
      const index = testIndex(images);
      const folder = join(directory, `layout-${version}`);
      const contents = images.flatMap((image) => [...image.blobs, image.manifest]);
      await writeLayout(folder, index, contents);
      const done = await berth(['push', folder, `${repository}/layout:1`, '--json']);
      expect([done.code, done.stderr]).toEqual([
        0,
        expect.stringMatching(/sent straight to the storage, 9\.4 MB\n/),
      ]);
      expect(JSON.parse(done.stdout)).toMatchObject({
        digest: index.digest,
        reference: `${repository}/layout:1`,
      });
      expect((await manifestOf(`${repository}/layout`, '1')).digest).toBe(index.digest);
      for (const { digest, bytes } of images.flatMap((image) => image.blobs))
        expect(Buffer.compare(await pulled(`${repository}/layout`, digest), bytes)).toBe(0);
      const again = await berth(['push', folder, `${repository}/layout:2`]);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('5 there already; 0 B sent')]);
      const other = await berth(['push', folder, `${repository}/other:1`]);
      expect([other.code, other.stdout]).toEqual([0, expect.stringContaining('5 mounted; 0 B sent')]);
      const one = await berth([
        'push',
        folder,
        `${repository}/one:1`,
        '--platform',
        'linux/arm64',
        '--compress',
        'none',
      ]);
      expect([one.code, one.stdout]).toEqual([0, expect.stringContaining(images[1]!.manifest.digest)]);
      expect(await berth(['push', folder, `${repository}/one:1`, '--platform', 'linux/s390x'])).toMatchObject(
        {
          code: 2,
          stderr: expect.stringContaining('it has linux/amd64, linux/arm64'),
        },
      );
    });

    it('compresses the layers of docker save, the same way each time', async () => {
      const layers = [
        await tarOf(`a-${version}`, Buffer.alloc(20 * MiB, 'a')),
        await tarOf(`b-${version}`, randomBytes(MiB)),
      ];
      const file = await savedImage(`saved-${version}`, [...layers, layers[0]!]);
      const first = await berth(['push', file, `${repository}/saved:1`, '--json']);
      expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('layer 1 of 3')]);
      const { digest, blobs: sent } = JSON.parse(first.stdout);
      expect(sent).toHaveLength(3);
      const { json } = await manifestOf(`${repository}/saved`, '1');
      expect(json.layers.map(({ mediaType }: { mediaType: string }) => mediaType)).toEqual(
        Array(3).fill('application/vnd.oci.image.layer.v1.tar+gzip'),
      );
      expect(json.layers[2]).toEqual(json.layers[0]);
      for (const [index, layer] of layers.entries())
        expect(
          Buffer.compare(
            gunzipSync(await pulled(`${repository}/saved`, json.layers[index].digest)),
            readFileSync(layer),
          ),
        ).toBe(0);
      const mounted = await berth(['push', file, `${repository}/saved-again:1`]);
      expect(mounted.stdout).toContain('3 mounted; 0 B sent');
      // From another computer, which remembers nothing.
      const elsewhere = start(node, makeHome(`${version}-else`), [
        'push',
        file,
        `${repository}/saved:2`,
        '--json',
      ]);
      expect(JSON.parse((await elsewhere.ended).stdout)).toMatchObject({ digest });
      expect(readdirSync(join(home(), 'cache/berth/layers'))).toEqual([]);
    });

    it.skipIf(node !== runtimes.at(-1)).each([
      ['straight to the storage, interrupted', [], 8 * MiB, 'SIGINT'],
      ['through the registry, killed', ['--indirect'], 24 * MiB, 'SIGKILL'],
    ] as const)('goes on where it was broken off: %s', async (_how, more, enough, signal) => {
      const layer = randomBytes(40 * MiB);
      const image = testImage([layer]);
      const name = `${repository}/broken-${more.length}`;
      const folder = join(directory, `broken-${version}-${more.length}`);
      await writeLayout(folder, image.manifest, image.blobs);
      const args = ['push', folder, `${name}:1`, '--compress', 'none', ...more];
      const before = await stagedBytes();
      const open = closeGate();
      const first = start(node, home(), args);
      await until('a part of it is there', async () => (await stagedBytes()) >= before + enough, 60);
      first.kill(signal);
      // A client has 30 s of patience with a server; a user has none.
      const ended = await Promise.race([first.ended, sleep(20_000).then(() => 'it goes on')]);
      if (signal === 'SIGINT')
        expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Run it again') });
      open();
      const { code, stderr } = await berth(args);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/of which [\d.]+ MB were there/)]);
      expect(Buffer.compare(await pulled(name, image.blobs[1]!.digest), layer)).toBe(0);
    });

    it.skipIf(node !== runtimes.at(-1))('refuses what cannot be pushed, and says why', async () => {
      const rubbish = join(directory, 'rubbish.tar');
      writeFileSync(rubbish, randomBytes(5000));
      const folder = join(directory, `missing-${version}`);
      const image = testImage([randomBytes(10)]);
      await writeLayout(folder, image.manifest, image.blobs.slice(0, 1));
      const none = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
      const outcomes: [readonly string[], number, RegExp][] = [
        [['push', rubbish, 'a/b:1'], 2, /is no tar of an image: there is no header at byte 0/],
        [['push', rubbish], 2, /Say where it goes/],
        [['push', folder, 'a/b:1'], 2, /has no blobs\/sha256\//],
        [['push', folder, 'A/b:1'], 2, /is not an image reference/],
        [['push', folder, 'a/b:1', '--compress', 'brotli'], 2, /Allowed choices are gzip, zstd, none/],
        [['push', 'web:1'], 5, /nowhere\/docker\.sock does not answer/],
        [['push', directory, 'a/b:1'], 2, /is no file, and no folder of an OCI image layout/],
        [['push', './not-there.tar', 'a/b:1'], 2, /is no file/],
      ];
      for (const [args, code, words] of outcomes)
        expect([args, await berth(args, none)]).toMatchObject([
          args,
          { code, stderr: expect.stringMatching(words) },
        ]);
      const { tables, services } = server;
      const reader = await keyStore(tables, services.settings.adminKeyHash).create('reader', '');
      await writeLayout(folder, image.manifest, image.blobs);
      const weak = start(node, makeHome(`${version}-reader`, reader.text), ['push', folder, 'a/b:1']);
      expect(await weak.ended).toMatchObject({ code: 4, stderr: expect.stringContaining('may push to a/b') });
      const grant = RepositoryGrant.parse({ repositories: 'team/**', actions: ['push', 'pull'] });
      const team = await keyStore(tables, services.settings.adminKeyHash).create(undefined, '', undefined, [
        grant,
      ]);
      const narrow = start(node, makeHome(`${version}-team`, team.text), ['push', folder, 'a/b:1']);
      expect(await narrow.ended).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('may not do this in a/b'),
      });
    });

    it.skipIf(node !== runtimes.at(-1)).each([
      ['straight to the storage', []],
      ['through the registry', ['--indirect']],
    ] as const)('pushes an image once its file is mended: %s', async (_how, more) => {
      const image = testImage([randomBytes(9 * MiB)]);
      const { digest, bytes } = image.blobs[1]!;
      const folder = join(directory, `mended-${more.length}-${version}`);
      await writeLayout(folder, image.manifest, image.blobs);
      const layer = join(folder, 'blobs', ...digest.split(':'));
      writeFileSync(layer, Buffer.concat([Buffer.from('other'), bytes.subarray(5)]));
      const args = ['push', folder, `${repository}/mended-${more.length}:1`, ...more, '--compress', 'none'];
      const broken = await berth(args);
      expect([broken.code, broken.stderr]).not.toEqual([0, expect.anything()]);
      expect(broken.stderr).toContain("the content's digest is");
      writeFileSync(layer, bytes);
      const { code, stderr } = await berth(args);
      expect([code, stderr]).toEqual([0, expect.stringContaining('9.4 MB')]);
      expect(Buffer.compare(await pulled(`${repository}/mended-${more.length}`, digest), bytes)).toBe(0);
    });

    it.skipIf(node !== runtimes.at(-1))('says of a tag that stays how to go on', async () => {
      const { policies } = server.services;
      const policy = RepositoryPolicy.parse({ repositories: 'fixed/**', immutableTags: ['v*'] });
      await policies.put(PolicyName.parse('fixed'), policy);
      const push = async (name: string) => {
        const image = testImage([randomBytes(10)]);
        const folder = join(directory, name);
        await writeLayout(folder, image.manifest, image.blobs);
        return berth(['push', folder, 'fixed/web:v1']);
      };
      expect((await push(`fixed-1-${version}`)).code).toBe(0);
      const { code, stderr } = await push(`fixed-2-${version}`);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining('Push under another tag, or change the policy'),
      ]);
    });

    it.skipIf(node !== runtimes.at(-1))(
      'pushes no image of another platform than was asked for',
      async () => {
        const image = testImage([randomBytes(10)]);
        const folder = join(directory, `platform-${version}`);
        await writeLayout(folder, image.manifest, image.blobs);
        const file = await savedImage(`platform-saved-${version}`, [
          await tarOf(`p-${version}`, randomBytes(10)),
        ]);
        for (const source of [folder, file]) {
          const to = (platform: string) => [
            'push',
            source,
            `${repository}/platform:1`,
            '--platform',
            platform,
          ];
          const { code, stderr } = await berth(to('linux/arm64'));
          expect([code, stderr]).toEqual([2, expect.stringContaining('it is an image for linux/amd64')]);
          expect((await berth(to('linux/amd64'))).code).toBe(0);
        }
      },
    );

    describe.skipIf(!hasProgram('dockerd') || !hasProgram('docker') || !isRoot)(
      'with docker (needs root and dockerd)',
      () => {
        let engine: Awaited<ReturnType<typeof startDockerEngine>>;
        let plain: Awaited<ReturnType<typeof serveHandler>>;
        beforeAll(async () => {
          engine = await startDockerEngine(mkdtempSync(join(directory, 'engine-')));
          plain = await serveHandler(registry.handle);
        });
        afterAll(async () => {
          await engine?.stop();
          await plain?.close();
        });
        const docker = (...args: string[]) =>
          run('docker', args, { DOCKER_HOST: engine.host, DOCKER_CONFIG: join(directory, 'docker-config') });

        it('pushes an image of the engine, which docker pulls with the same digest', async () => {
          const context = join(directory, `context-${version}`);
          mkdirSync(context, { recursive: true });
          writeFileSync(join(context, 'large'), randomBytes(10 * MiB));
          writeFileSync(join(context, 'small'), 'small');
          writeFileSync(
            join(context, 'Dockerfile'),
            'FROM scratch\nCOPY small /\nCOPY large /\nENV SECRET=x\nENTRYPOINT ["/small"]\n',
          );
          const image = `${repository}/web:1`;
          await docker('build', '--quiet', '--tag', image, context);
          const id = (await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim();
          const pushed = await berth(['push', image, '--json'], { DOCKER_HOST: engine.host });
          expect([pushed.code, pushed.stderr]).toEqual([
            0,
            expect.stringContaining('sent straight to the storage'),
          ]);
          const { digest } = JSON.parse(pushed.stdout);
          const other = await berth(['push', image, '--platform', 'linux/s390x'], {
            DOCKER_HOST: engine.host,
          });
          expect([other.code, other.stderr]).toEqual([
            2,
            expect.stringContaining(`${image} has no linux/s390x; it is an image for linux/`),
          ]);
          await docker('rmi', image);
          await docker('login', '--username', 'x', '--password', 'reader-key', plain.host);
          await docker('pull', '--quiet', `${plain.host}/${image}`);
          const [found] = JSON.parse(await docker('image', 'inspect', `${plain.host}/${image}`));
          expect([found.RepoDigests, found.Id]).toEqual([[`${plain.host}/${repository}/web@${digest}`], id]);
          const shown = await berth(['images', 'show', image]);
          expect(shown.stdout).toMatch(/environment +.*SECRET/);
          expect(shown.stdout).not.toContain('SECRET=x');
          const none = await berth(['push', 'nothing/here:1'], { DOCKER_HOST: engine.host });
          expect(none).toMatchObject({
            code: 3,
            stderr: expect.stringContaining(`It has: ${plain.host}/${image}`),
          });
        });
      },
    );
  },
);

describe.skipIf(!long)('a layer of 1 GiB', () => {
  it('is pushed in memory that does not grow with it', { timeout: 600_000 }, async () => {
    const file = join(directory, 'gigabyte');
    await run('sh', ['-c', `head -c 1073741824 /dev/urandom > ${file}`]);
    const layer = join(directory, 'gigabyte.tar');
    await run('tar', ['-C', directory, '-cf', layer, 'gigabyte']);
    rmSync(file);
    const image = join(directory, 'gigabyte-saved');
    const diffId = `sha256:${(await run('sha256sum', [layer])).slice(0, 64)}`;
    const config = Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }),
    );
    mkdirSync(image, { recursive: true });
    writeFileSync(join(image, 'config.json'), config);
    writeFileSync(
      join(image, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', Layers: ['layer.tar'] }]),
    );
    await run('mv', [layer, join(image, 'layer.tar')]);
    const tar = join(directory, 'gigabyte-image.tar');
    await run('tar', ['-C', image, '-cf', tar, '.']);
    const pushing = start(process.execPath, makeHome('gigabyte-home'), ['push', tar, 'push/gigabyte:1']);
    let most = 0;
    const watch = setInterval(() => {
      const status = existsSync(`/proc/${pushing.pid}/status`)
        ? readFileSync(`/proc/${pushing.pid}/status`, 'utf8')
        : '';
      most = Math.max(most, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0));
    }, 200);
    const ended = await pushing.ended.finally(() => clearInterval(watch));
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining('sent straight to the storage')]);
    // Node.js itself, eight blocks of 8 MiB on their way, and what is compressed.
    expect(most).toBeLessThan(300 * 1024);
    const { json } = await manifestOf('push/gigabyte', '1');
    const hash = createHash('sha256');
    hash.update(gunzipSync(await pulled('push/gigabyte', json.layers[0].digest)));
    expect(`sha256:${hash.digest('hex')}`).toBe(diffId);
  });
});
