import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { run } from '../../support/tool.ts';
import { damaged, describeClient, type World } from './world.ts';

export const craneTests = (world: () => World) =>
  describeClient('crane', false, (program) => {
    let config: string;
    const crane = (...args: string[]) => run(program, args, { ...world().trust, DOCKER_CONFIG: config });
    const at = (reference: string) => `${world().host}/crane/${reference}`;
    beforeAll(async () => {
      config = join(world().directory, 'crane');
      await mkdir(config);
      await writeFile(join(config, 'config.json'), '{}');
      await crane('auth', 'login', world().host, '-u', 'x', '-p', world().key);
    });

    test('an index with its images goes in and comes out unchanged, by tag and by digest', async () => {
      const { layout, index, images, directory } = world();
      await crane('push', '--index', layout, at('all:v1'));
      // crane pushes the layout's own index.json, which names ours.
      const top = await crane('manifest', at('all:v1'));
      expect(JSON.parse(top)).toMatchObject({ manifests: [{ digest: index.digest }] });
      expect(await crane('digest', at(`all@${index.digest}`))).toBe(`${index.digest}\n`);
      expect(await crane('manifest', at(`all@${index.digest}`))).toBe(Buffer.from(index.bytes).toString());
      const back = join(directory, 'crane-back');
      await crane('pull', '--format', 'oci', at(`all@${index.digest}`), back);
      const contents = images.flatMap(({ blobs, manifest }) => [...blobs, manifest]);
      expect(await damaged(back, [index, ...contents])).toEqual([]);
    });

    test('copies between repositories, tags, lists and deletes', async () => {
      const { index, images, tags, manifest } = world();
      await crane('copy', at(`all@${index.digest}`), at('copy:v2'));
      expect((await manifest('crane/copy', 'v2'))?.digest).toBe(index.digest);
      await crane('tag', at('copy:v2'), 'v3');
      expect(await tags('crane/copy')).toEqual(['v2', 'v3']);
      expect(await crane('ls', at('copy'))).toBe('v2\nv3\n');
      expect((await crane('catalog', world().host)).split('\n')).toContain('crane/copy');
      const platform = ['--platform', 'linux/arm64'];
      expect(await crane('digest', ...platform, at('copy:v2'))).toBe(`${images[1]?.manifest.digest}\n`);
      await crane('delete', at(`copy@${index.digest}`));
      await expect(crane('digest', at('copy:v2'))).rejects.toThrow(/MANIFEST_UNKNOWN|404/);
      expect(await tags('crane/copy')).toEqual([]);
    });

    test('without a login pulls what is public, and nothing else', async () => {
      const { index, directory } = world();
      const open = `${world().host}/public/crane:1`;
      await crane('copy', at(`all@${index.digest}`), open);
      const nobody = (...args: string[]) =>
        run(program, args, { ...world().trust, DOCKER_CONFIG: join(directory, 'nobody') });
      expect(await nobody('digest', open)).toBe(`${index.digest}\n`);
      await nobody('pull', '--format', 'oci', open, join(directory, 'crane-open'));
      await expect(nobody('tag', open, '2')).rejects.toThrow(/DENIED/);
      for (const closed of [at('all:v1'), at('not-there:1')])
        await expect(nobody('digest', closed)).rejects.toThrow(/UNAUTHORIZED|401/);
      await expect(nobody('catalog', world().host)).rejects.toThrow(/UNAUTHORIZED|401/);
    });
  });
