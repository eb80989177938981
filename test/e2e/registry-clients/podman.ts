import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../support/tool.ts';
import { describeClient, type World } from './world.ts';

/** podman and buildah share their storage's form and most of their words. */
export const podmanTests = (world: () => World, name: 'podman' | 'buildah') =>
  describeClient(name, true, (program) => {
    const at = (reference: string) => `${world().host}/${name}/${reference}`;
    const access = () => ['--tls-verify=false', '--creds', `x:${world().key}`];
    /** In a storage of its own. */
    const inStorage =
      (storage: string) =>
      (...args: string[]) => {
        const place = (more = '') => join(world().directory, `${name}-${storage}${more}`);
        const places = ['--root', place(), '--runroot', place('-run'), '--storage-driver', 'vfs'];
        return run(program, [...places, ...args]);
      };

    test('pushes an image that it loaded, and pulls it elsewhere by tag and by digest', async () => {
      const { layout, images } = world();
      const here = inStorage('here');
      const there = inStorage('there');
      const id = (await here('pull', '--quiet', `oci:${layout}:all`)).trim();
      await here('push', ...access(), id, `docker://${at('web:1')}`);
      const pushed = await world().manifest(`${name}/web`, '1');
      const { config } = JSON.parse(Buffer.from(pushed?.bytes ?? []).toString()) as {
        config: { digest: string };
      };
      expect(config.digest).toBe(images[0]?.blobs[0]?.digest);
      for (const reference of ['web:1', `web@${pushed?.digest}`])
        expect((await there('pull', '--quiet', ...access(), at(reference))).trim()).toBe(id);
    });

    test('makes and pushes an index of what the registry has', async () => {
      const here = inStorage('here');
      const list = at('list:1');
      await here('manifest', 'create', list);
      await here('manifest', 'add', ...access(), list, `docker://${at('web:1')}`);
      const push = ['manifest', 'push', '--all', ...access(), list, `docker://${list}`];
      await here(...push);
      const found = await world().manifest(`${name}/list`, '1');
      const single = await world().manifest(`${name}/web`, '1');
      expect(JSON.parse(Buffer.from(found?.bytes ?? []).toString())).toMatchObject({
        manifests: [{ digest: single?.digest }],
      });
    });

    test('without a login pulls what is public, and nothing else', async () => {
      const nobody = ['--tls-verify=false', '--authfile', join(world().directory, 'nobody.json')];
      await writeFile(join(world().directory, 'nobody.json'), '{}');
      const open = `${world().host}/public/${name}:1`;
      const here = inStorage('here');
      const id = (await here('pull', '--quiet', ...access(), at('web:1'))).trim();
      await here('push', ...access(), id, `docker://${open}`);
      expect((await inStorage('open')('pull', '--quiet', ...nobody, open)).trim()).toBe(id);
      for (const closed of [at('web:1'), at('not-there:1')])
        await expect(inStorage('none')('pull', '--quiet', ...nobody, closed)).rejects.toThrow(
          /unauthorized|denied/i,
        );
    });

    test('a wrong key is refused', async () => {
      const wrong = ['--tls-verify=false', '--creds', 'x:wrong'];
      await expect(inStorage('none')('pull', '--quiet', ...wrong, at('web:1'))).rejects.toThrow(
        /unauthorized|invalid username/i,
      );
    });
  });
