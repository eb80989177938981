import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RepositoryName } from '../../../shared/model/image.ts';
import { BLOCK } from '../../../shared/registry/block-buffers.ts';
import { startDockerEngine } from '../../support/docker-engine.ts';
import { testImage, testIndex, writeLayout } from '../../support/oci-image.ts';
import { registryClient } from '../../support/registry-client.ts';
import { serveHandler, type TestRegistry, testRegistry } from '../../support/registry-server.ts';
import { type RegistryStorage, registryStorages } from '../../support/registry-storage.ts';
import { hasProgram, isRoot, run } from '../../support/tool.ts';

let directory: string;
let storage: RegistryStorage;
let registry: TestRegistry;
let server: Awaited<ReturnType<typeof serveHandler>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'registry-clients-'));
  storage = await registryStorages.azurite();
  registry = await testRegistry(storage);
  server = await serveHandler(registry.handle);
});
afterAll(async () => {
  await server?.close();
  await storage?.stop();
  await rm(directory, { recursive: true, force: true });
});

const digestOf = async (repository: string, tag: string): Promise<string | null> =>
  (await registryClient(registry.handle).request('HEAD', `/v2/${repository}/manifests/${tag}`)).headers.get(
    'docker-content-digest',
  );

/** A file system of one large and one small file, as a tar. */
async function rootTar(): Promise<string> {
  const root = join(directory, 'root');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'large'), randomBytes(BLOCK + 1000));
  await writeFile(join(root, 'small'), 'small');
  await run('tar', ['-C', root, '-cf', join(directory, 'root.tar'), '.']);
  return join(directory, 'root.tar');
}

describe('skopeo', () => {
  const remote = (reference: string) => `docker://${server.host}/${reference}`;
  const copy = (...args: string[]) => run('skopeo', ['copy', '--insecure-policy', ...args]);
  const to = ['--dest-tls-verify=false', '--dest-creds', 'x:deployer-key'];
  const from = ['--src-tls-verify=false', '--src-creds', 'x:reader-key'];

  test.skipIf(!hasProgram('skopeo'))('an index with its images goes in and comes out unchanged', async () => {
    const images = [
      testImage([randomBytes(BLOCK + 500_000), randomBytes(10)]),
      testImage([randomBytes(70_000)]),
    ];
    const index = testIndex(images);
    const layout = join(directory, 'layout');
    await writeLayout(
      layout,
      index,
      images.flatMap(({ blobs, manifest }) => [...blobs, manifest]),
    );
    await copy('--all', '--preserve-digests', `oci:${layout}`, remote('skopeo/all:v1'), ...to);
    expect(await digestOf('skopeo/all', 'v1')).toBe(index.digest);
    await copy('--all', '--preserve-digests', remote('skopeo/all:v1'), `oci:${layout}-back`, ...from);
    for (const { digest, bytes } of images.flatMap(({ blobs, manifest }) => [...blobs, manifest]))
      expect(await readFile(join(`${layout}-back`, 'blobs', ...digest.split(':')))).toEqual(
        Buffer.from(bytes),
      );
  });

  test.skipIf(!hasProgram('skopeo'))('between repositories, lists tags and deletes', async () => {
    const image = testImage([randomBytes(200_000)], { form: 'docker' });
    await registryClient(registry.handle).pushImage('skopeo/one', 'v1', image);
    await copy('--preserve-digests', remote('skopeo/one:v1'), remote('skopeo/two:v2'), ...from, ...to);
    expect(await digestOf('skopeo/two', 'v2')).toBe(image.manifest.digest);
    const access = (key: string) => ['--tls-verify=false', '--creds', `x:${key}`];
    const tags = await run('skopeo', ['list-tags', remote('skopeo/two'), ...access('reader-key')]);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['v2'] });
    await expect(
      run('skopeo', ['delete', remote('skopeo/two:v2'), ...access('deployer-key')]),
    ).rejects.toThrow(/denied|unauthorized/i);
    await run('skopeo', ['delete', remote('skopeo/two:v2'), ...access('operator-key')]);
    expect(await digestOf('skopeo/two', 'v2')).toBeNull();
  });
});

describe('podman', () => {
  test.skipIf(!hasProgram('podman') || !isRoot)('pushes and pulls', async () => {
    const place = (name: string) => [
      ...['--root', join(directory, name), '--runroot', join(directory, `${name}-run`)],
      ...['--storage-driver', 'vfs'],
    ];
    const image = `${server.host}/podman/web:1`;
    await run('podman', [...place('podman'), 'import', await rootTar(), image]);
    await run('podman', [
      ...place('podman'),
      'push',
      '--tls-verify=false',
      '--creds',
      'x:deployer-key',
      image,
    ]);
    await run('podman', [...place('other'), 'pull', '--tls-verify=false', '--creds', 'x:reader-key', image]);
    const found = await run('podman', [...place('other'), 'image', 'inspect', image]);
    expect(JSON.parse(found)).toMatchObject([{ Digest: await digestOf('podman/web', '1') }]);
  });
});

describe.skipIf(!hasProgram('dockerd') || !hasProgram('docker') || !isRoot)(
  'docker (needs root and dockerd)',
  () => {
    let engine: Awaited<ReturnType<typeof startDockerEngine>>;
    beforeAll(async () => {
      engine = await startDockerEngine(await mkdtemp(join(directory, 'engine-')));
    });
    afterAll(() => engine?.stop());
    const docker = (...args: string[]) =>
      run('docker', args, { DOCKER_HOST: engine.host, DOCKER_CONFIG: join(directory, 'docker-config') });

    /** What the machines' pulls do: the engine's own API, with a token for this one repository. */
    const pull = async (repository: string, digest: string, auth: object): Promise<string> => {
      const image = encodeURIComponent(`${server.host}/${repository}@${digest}`);
      return new Promise((resolve, reject) => {
        const sent = httpRequest(
          {
            socketPath: engine.socket,
            method: 'POST',
            path: `/v1.41/images/create?fromImage=${image}`,
            headers: { 'x-registry-auth': registryAuth(auth) },
          },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part: string) => {
              text += part;
            });
            answer.on('end', () => resolve(text));
          },
        );
        sent.on('error', reject);
        sent.end();
      });
    };

    /** Engines of 20.10 take this header only with its padding, which `base64url` leaves out. */
    const registryAuth = (auth: object): string =>
      Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

    test('logs in, pushes, mounts, and an engine pulls by digest with a pull token', async () => {
      const image = `${server.host}/docker/web:1`;
      await docker('import', await rootTar(), image);
      await docker('login', '--username', 'x', '--password', 'deployer-key', server.host);
      const before = registry.events.length;
      await docker('push', image);
      const digest = await digestOf('docker/web', '1');
      expect(registry.events.slice(before).map(({ data }) => data)).toMatchObject([
        { repository: 'docker/web', tag: '1', digest },
      ]);
      const again = `${server.host}/docker/again:2`;
      await docker('tag', image, again);
      expect(await docker('push', again)).toContain('Mounted from docker/web');
      expect(await digestOf('docker/again', '2')).toBe(digest);

      await docker('rmi', image, again);
      const registrytoken = await registry.deps.tokens.issuePullToken('docker/web' as RepositoryName, 60);
      expect(await pull('docker/again', digest ?? '', { registrytoken })).toMatch(/unauthorized|denied/);
      expect(await pull('docker/web', digest ?? '', { registrytoken })).toContain('Downloaded newer image');
      expect(
        JSON.parse(await docker('image', 'inspect', `${server.host}/docker/web@${digest}`)),
      ).toHaveLength(1);
    });

    test('a wrong key is refused at login', async () => {
      await expect(docker('login', '--username', 'x', '--password', 'wrong', server.host)).rejects.toThrow(
        /unauthorized/,
      );
    });
  },
);
