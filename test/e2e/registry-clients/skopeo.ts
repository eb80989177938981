import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../support/tool.ts';
import { damaged, describeClient, type World } from './world.ts';

export const skopeoTests = (world: () => World) =>
  describeClient('skopeo', false, (program) => {
    const at = (reference: string) => `docker://${world().host}/skopeo/${reference}`;
    const to = () => ['--dest-tls-verify=false', '--dest-creds', `x:${world().key}`];
    const from = () => ['--src-tls-verify=false', '--src-creds', `x:${world().key}`];
    const copy = (...args: string[]) =>
      run(program, ['copy', '--insecure-policy', '--all', '--preserve-digests', ...args]);

    test('an index with its images goes in, across to another repository, and comes out unchanged', async () => {
      const { layout, index, images, directory, manifest } = world();
      await copy(`oci:${layout}:all`, at('all:v1'), ...to());
      await copy(at('all:v1'), at('across:v1'), ...from(), ...to());
      expect((await manifest('skopeo/across', 'v1'))?.digest).toBe(index.digest);
      const back = join(directory, 'skopeo-back');
      await copy(at(`across@${index.digest}`), `oci:${back}:all`, ...from());
      const contents = images.flatMap(({ blobs, manifest }) => [...blobs, manifest]);
      expect(await damaged(back, [index, ...contents])).toEqual([]);
    });

    test('inspects, lists and deletes', async () => {
      const access = ['--tls-verify=false', '--creds', `x:${world().key}`];
      const raw = await run(program, ['inspect', '--raw', at('all:v1'), ...access]);
      expect(raw).toBe(Buffer.from(world().index.bytes).toString());
      await run(program, ['delete', at('all:v1'), ...access]);
      await expect(run(program, ['inspect', '--raw', at('all:v1'), ...access])).rejects.toThrow(/unknown/i);
      expect((await world().manifest('skopeo/across', 'v1'))?.digest).toBe(world().index.digest);
    });

    test('without a login pulls what is public, and nothing else', async () => {
      const { layout, directory, host } = world();
      const open = `docker://${host}/public/skopeo:1`;
      await copy(`oci:${layout}:all`, open, ...to());
      const nobody = ['--src-no-creds', '--src-tls-verify=false'];
      await copy(open, `oci:${join(directory, 'skopeo-open')}:all`, ...nobody);
      for (const closed of [at('across:v1'), at('not-there:1')])
        await expect(copy(closed, `oci:${join(directory, 'none')}:1`, ...nobody)).rejects.toThrow(
          /unauthorized|denied/i,
        );
    });
  });
