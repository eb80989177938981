import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerEngine } from '../../support/docker-engine.ts';
import { long } from '../../support/sample.ts';
import { run } from '../../support/tool.ts';
import { describeClient, type World } from './world.ts';

/** Bytes of a layer that is sent as one request. */
const LARGE = long ? 300_000_000 : 30_000_000;

export const dockerTests = (world: () => World) =>
  describeClient('dockerd', true, () => {
    let engine: Awaited<ReturnType<typeof startDockerEngine>>;
    const docker = (...args: string[]) =>
      run('docker', args, {
        DOCKER_HOST: engine.host,
        DOCKER_CONFIG: join(world().directory, 'docker'),
      });
    const at = (reference: string) => `${world().host}/docker/${reference}`;
    beforeAll(async () => {
      await mkdir(join(world().directory, 'docker'));
      engine = await startDockerEngine(await mkdtemp(join(world().directory, 'engine-')));
      await docker('login', '--username', 'x', '--password', world().key, world().host);
    });
    afterAll(() => engine?.stop());

    test('pushes a layer of many blocks, mounts it elsewhere, and pulls by tag and by digest', async () => {
      const root = join(world().directory, 'docker-root');
      await run('sh', ['-c', `mkdir -p ${root} && head -c ${LARGE} /dev/urandom > ${root}/large`]);
      await run('tar', ['-C', root, '-cf', `${root}.tar`, '.']);
      const image = at('large:1');
      await docker('import', `${root}.tar`, image);
      await docker('push', image);
      const digest = (await world().manifest('docker/large', '1'))?.digest;
      const again = at('again:1');
      await docker('tag', image, again);
      expect(await docker('push', again)).toContain('Mounted from docker/large');
      expect((await world().manifest('docker/again', '1'))?.digest).toBe(digest);
      const id = await docker('image', 'inspect', '--format', '{{.Id}}', image);
      for (const reference of ['large:1', `again@${digest}`]) {
        await docker('image', 'prune', '--all', '--force');
        expect(await docker('pull', at(reference))).toContain(`Digest: ${digest}`);
        expect(await docker('image', 'inspect', '--format', '{{.Id}}', at(reference))).toBe(id);
      }
    });

    test('without a login pulls what is public, and nothing else', async () => {
      const open = `${world().host}/public/docker:1`;
      await docker('import', `${world().directory}/docker-root.tar`, open);
      await docker('push', open);
      await docker('rmi', open);
      await docker('logout', world().host);
      await docker('pull', open);
      await expect(docker('push', open)).rejects.toThrow(/denied|unauthorized|no basic auth/i);
      for (const closed of [at('large:1'), at('not-there:1')])
        await expect(docker('pull', closed)).rejects.toThrow(/denied|unauthorized|no basic auth/i);
    });
  });
