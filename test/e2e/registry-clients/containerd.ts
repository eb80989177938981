import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../support/tool.ts';
import { describeClient, type World } from './world.ts';

export const containerdTests = (world: () => World) =>
  describeClient('containerd', true, (program) => {
    let daemon: ChildProcess;
    const place = (name: string) => join(world().directory, 'containerd', name);
    const ctr = (...args: string[]) => run('ctr', ['--address', place('socket'), ...args]);
    const at = (reference: string) => `${world().host}/containerd/${reference}`;
    const access = () => ['--plain-http', '--user', `x:${world().key}`];
    const native = ['--snapshotter', 'native'];

    /** A daemon of the test's own: nothing of another one is touched. */
    beforeAll(async () => {
      await run('mkdir', ['-p', place('')]);
      const config = place('config.toml');
      await writeFile(
        config,
        'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n',
      );
      const args = ['--config', config, '--root', place('root'), '--state', place('state')];
      daemon = spawn(program, [...args, '--address', place('socket')], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const lines = createInterface(daemon.stderr!);
      await new Promise<void>((resolve, reject) => {
        let log = '';
        lines.on('line', (line) => {
          log += `${line}\n`;
          if (line.includes('containerd successfully booted')) resolve();
        });
        lines.once('close', () => reject(new Error(`containerd ended before it was ready:\n${log}`)));
      });
    });
    afterAll(async () => {
      if (daemon === undefined) return;
      const exited = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await exited;
    });

    test('an index with its images goes in and comes out unchanged, by tag and by digest', async () => {
      const { layout, index, images, manifest } = world();
      const archive = place('all.tar');
      await run('tar', ['-C', layout, '-cf', archive, '.']);
      await ctr('images', 'import', '--all-platforms', ...native, '--base-name', at('all'), archive);
      await ctr('images', 'push', ...access(), at('all:all'));
      expect((await manifest('containerd/all', 'all'))?.digest).toBe(index.digest);

      for (const name of (await ctr('images', 'ls', '--quiet')).trim().split('\n'))
        await ctr('images', 'rm', '--sync', name);
      expect(await ctr('content', 'ls', '--quiet')).toBe('');
      for (const reference of ['all:all', `all@${index.digest}`])
        await ctr('images', 'pull', ...access(), ...native, '--all-platforms', at(reference));
      const held = (await ctr('content', 'ls', '--quiet')).trim().split('\n');
      const contents = images.flatMap(({ blobs, manifest }) => [...blobs, manifest]);
      expect(held).toEqual(expect.arrayContaining([index, ...contents].map(({ digest }) => digest)));
    });

    test('without a key pulls what is public, and nothing else', async () => {
      const open = `${world().host}/public/containerd:1`;
      await ctr('images', 'tag', at('all:all'), open);
      await ctr('images', 'push', ...access(), open);
      await ctr('images', 'rm', '--sync', open);
      await ctr('images', 'pull', '--plain-http', ...native, '--all-platforms', open);
      for (const closed of [at('all:all'), at('not-there:1')])
        await expect(ctr('images', 'pull', '--plain-http', ...native, closed)).rejects.toThrow(
          /401|authorization/,
        );
    });

    test('a tag that is not there, and a wrong key', async () => {
      await expect(ctr('images', 'pull', ...access(), ...native, at('all:v9'))).rejects.toThrow(/not found/);
      const wrong = ['--plain-http', '--user', 'x:wrong'];
      await expect(ctr('images', 'pull', ...wrong, ...native, at('all:all'))).rejects.toThrow(/401/);
    });
  });
