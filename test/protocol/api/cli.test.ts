import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { JobKey } from '../../../shared/model/job.ts';
import { ServiceKey } from '../../../shared/model/service.ts';
import { type ApiWorld, startApiWorld } from '../../support/api-world.ts';
import { until } from '../../support/conditions.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const bundle = join(root, 'dist/cli/berth.mjs');
const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
/** The Node.js that runs the tests, and the system's own if it is another: fresh machines have 20. */
const runtimes = [process.execPath, '/usr/bin/node', '/usr/local/bin/node']
  .filter(existsSync)
  .filter((node, index, all) => all.findIndex((other) => versionOf(other) === versionOf(node)) === index);

const application = `
name: shop
services:
  web: {image: 'shop/web:1', replicas: 2, port: 80}
jobs:
  report: {image: 'shop/report:1'}
`;
const web = ServiceKey.parse({ environment: 'dev', application: 'shop', service: 'web' });
const report = JobKey.parse({ environment: 'dev', application: 'shop', job: 'report' });

let directory: string;
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  directory = mkdtempSync(join(tmpdir(), 'test-cli-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  interrupt(): void;
}

describe.each(runtimes.map((node) => [versionOf(node), node] as const))(
  'berth on Node.js %s',
  (_version, node) => {
    let world: ApiWorld;
    let folder: string;
    const children = new Set<() => void>();

    const start = (args: readonly string[], env: Record<string, string> = {}, cwd = folder): Started => {
      const child = spawn(node, [bundle, ...args], { cwd, env: { PATH: process.env.PATH ?? '', ...env } });
      const kill = () => void child.kill('SIGKILL');
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
      return {
        ended,
        stdout: () => stdout,
        stderr: () => stderr,
        interrupt: () => void child.kill('SIGINT'),
      };
    };
    const berth = (args: readonly string[], env: Record<string, string> = {}, cwd = folder): Promise<Ended> =>
      start(args, env, cwd).ended;

    beforeAll(async () => {
      world = await startApiWorld();
      const { url, adminKey: key, ca } = world.server;
      folder = mkdtempSync(join(directory, 'checkout-'));
      mkdirSync(join(folder, '.berth'));
      mkdirSync(join(folder, 'deep/er'), { recursive: true });
      writeFileSync(join(folder, '.berth/client.json'), JSON.stringify({ url, key, ca }), { mode: 0o600 });
      writeFileSync(join(folder, 'berth.yaml'), application);
    });
    afterAll(async () => {
      for (const kill of children) kill();
      await world.server.close();
    });

    it('deploys: waits for the image, then for the rollout, and names the addresses', async () => {
      const waiting = await berth(['deploy']);
      expect([waiting.code, waiting.stderr]).toEqual([6, expect.stringContaining('docker push')]);
      await world.push('shop/web:1');
      const deploying = start(['deploy', '--json']);
      await until('the rollout is watched', () => deploying.stderr().includes('rolling'));
      await world.replica(web, 0);
      await until('progress is shown', () => deploying.stderr().includes('1/2 healthy'));
      await world.replica(web, 1);
      await world.changeService(web, {
        healthyRevision: 1,
        rollout: { state: 'done', at: new Date().toISOString() },
      });
      const done = await deploying.ended;
      expect(done.code).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject([{ service: { revision: 1 }, replicas: [{}, {}] }]);
      const again = await berth(['deploy', '-f', join(folder, 'berth.yaml')], {}, join(folder, 'deep/er'));
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('http://10.20.0.4:30000')]);
    });

    it('says why a rollout failed, with the last lines', async () => {
      const rollout = {
        state: 'failed' as const,
        at: new Date().toISOString(),
        code: 'container-exited',
        reason: 'It ended at once.',
        exitCode: 7,
        lastLines: ['no such \u001b[31mfile'],
      };
      await world.changeService(web, { rollout });
      const deploying = start(['deploy']);
      await until('it is tried again', () => deploying.stderr().includes('rolling'), 30);
      await world.changeService(web, { rollout });
      const { code, stderr } = await deploying.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/container-exited: It ended at once\. \(exit code 7\)/);
      expect(stderr).toContain('| no such ');
      expect(stderr).not.toContain('\u001b');
      // What the reason says already is not said again.
      const reason = 'the container of slot 0 ended with exit code 7';
      await world.changeService(web, { rollout: { ...rollout, reason } });
      expect((await berth(['rollout', 'status', 'web'])).stdout).toContain(
        'container-exited: the container of slot 0 ended with exit code 7\n  its last lines:',
      );
      await world.changeService(web, { rollout: { state: 'done', at: new Date().toISOString() } });
    });

    it('shows what there is, for people and for programs', async () => {
      const status = await berth(['status']);
      expect(status.stdout).toMatch(/shop\/web +shop\/web:1 +2 +2\/2 +done/);
      expect(status.stdout).not.toContain('\u001b');
      const ps = await berth(['ps']);
      expect(ps.stdout).toMatch(/shop\/web +0\.g1 +1 \(old\) +m1 +10\.20\.0\.4:30000 +healthy/);
      for (const args of [
        ['status'],
        ['ps'],
        ['jobs'],
        ['machines', 'list'],
        ['machines', 'inspect', 'm1'],
        ['images', 'list'],
        ['events'],
        ['events', 'deadletter', 'list'],
        ['keys'],
        ['version'],
      ]) {
        const { code, stdout, stderr } = await berth([...args, '--json']);
        expect([args.join(' '), code, stderr]).toEqual([args.join(' '), 0, '']);
        expect(() => JSON.parse(stdout)).not.toThrow();
      }
      expect((await berth(['ps', '-e', 'prod'])).stdout).toContain('No replica runs in environment prod.');
    });

    // They said that nothing runs.
    it.each([[['ps', 'shpo']], [['top', 'shpo', '--once']], [['jobs', 'list', 'shpo']]])(
      '%j: an application that is not there is refused',
      async (args) => {
        const { code, stdout, stderr } = await berth(args);
        expect([code, stdout]).toEqual([3, '']);
        expect(stderr).toContain('shpo');
        expect(stderr).toContain('→');
      },
    );

    // They asked for NaN events, or waited for NaN seconds.
    it.each([
      [['events', '-n', 'abc'], 'Expected a whole number.'],
      [['jobs', 'runs', '-n', '-1', 'shop/x'], 'Expected a whole number.'],
      [['restart', '--timeout', '1.5', 'web'], 'Expected a whole number of seconds.'],
      [['destroy', '--timeout', 'soon', 'shop'], 'Expected a whole number of seconds.'],
    ])('%j is refused before anything is asked', async (args, words) => {
      const { code, stderr } = await berth(args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
    });

    it('shows logs of all replicas, follows, and ends at Ctrl-C', async () => {
      const [first = '', second = ''] = (await world.engine.list([])).map(({ id }) => id);
      world.engine.control.write(first, 'one');
      world.engine.control.write(second, 'two');
      const once = await berth(['logs', 'shop/web']);
      expect([once.code, once.stdout.split('\n').sort()]).toEqual([
        0,
        ['', 'shop/web/0.g1  one', 'shop/web/1.g1  two'],
      ]);
      const following = start(['logs', '-f', 'shop/web', '--tail', '0']);
      await until('it follows', async () => {
        world.engine.control.write(first, 'again');
        return following.stdout().includes('again');
      });
      expect(following.stdout()).not.toContain('one');
      following.interrupt();
      expect((await following.ended).code).toBe(0);
      expect((await berth(['logs', 'shop/other'])).code).toBe(3);
    });

    it('runs a job, passes its output on, and ends with its exit code', async () => {
      await world.push('shop/report:1', 'b');
      const running = start(['jobs', 'run', 'report']);
      const run = await until('the run is there', () => /run (ev-\w+)/.exec(running.stderr())?.[1]);
      const id = await world.runContainer(report, run);
      world.engine.control.write(id, 'result');
      world.engine.control.write(id, 'trouble', 'stderr');
      await until('it is passed on', () => running.stderr().includes('trouble'), 30);
      world.engine.control.write(id, 'last');
      world.engine.control.exit(id, 9);
      const at = new Date().toISOString();
      await world.changeRun(report, run, {
        state: 'failed',
        at,
        code: 'exited',
        reason: 'Exit code 9.',
        exitCode: 9,
        lastLines: ['result', 'trouble', 'last'],
      });
      const { code, stdout, stderr } = await running.ended;
      expect([code, stdout]).toEqual([9, 'result\nlast\n']);
      expect(stderr).toContain('trouble');
      expect((await berth(['jobs', 'runs', 'shop/report'])).stdout).toMatch(/failed \(9\)/);
    });

    it.each([
      ['wrong use', ['scale', 'web', 'many'], 2],
      ['an unknown verb', ['dpeloy'], 2],
      ['help', ['--help'], 0],
      ['an unknown machine', ['machines', 'inspect', 'none'], 3],
      ['an unknown job', ['jobs', 'run', 'none'], 3],
      ['no messages named', ['events', 'deadletter', 'replay'], 2],
      ['a file that is not there', ['deploy', '-f', 'none.yaml'], 2],
      ['a file with a fault', ['deploy', '-f', 'fault.yaml'], 2],
    ])('ends after %s: %j with %i', async (_what, args, expected) => {
      writeFileSync(join(folder, 'fault.yaml'), 'name: shop\nservices:\n  web:\n    imgae: x\n');
      const { code, stderr } = await berth(args);
      expect([code, stderr]).toEqual([expected, expect.any(String)]);
      if (args.includes('fault.yaml'))
        expect(stderr).toMatch(
          /fault\.yaml:4:5: services\.web: unknown key "imgae"\. Did you mean "image"\?/,
        );
    });

    it('tells no key, too weak a key, no server and no trust apart', async () => {
      const { url, ca } = world.server;
      const caFile = join(folder, 'ca.pem');
      writeFileSync(caFile, ca);
      const at = { BERTH_URL: url, BERTH_CA: caFile };
      const reader = await keyStore(world.server.tables, world.server.services.settings.adminKeyHash).create(
        'reader',
        '',
      );
      expect((await berth(['status'], { ...at, BERTH_KEY: reader.text })).code).toBe(0);
      const weak = await berth(['deploy', '--json'], { ...at, BERTH_KEY: reader.text });
      expect([weak.code, JSON.parse(weak.stderr)]).toMatchObject([4, { code: 'forbidden' }]);
      expect((await berth(['status'], { ...at, BERTH_KEY: 'berth_none' })).code).toBe(4);
      const untrusted = await berth(['status'], { BERTH_URL: url, BERTH_KEY: 'x' });
      expect([untrusted.code, untrusted.stderr]).toEqual([5, expect.stringContaining('BERTH_CA')]);
      expect(
        (await berth(['status'], { ...at, BERTH_URL: 'https://127.0.0.1:9', BERTH_KEY: 'x' })).code,
      ).toBe(5);
      expect((await berth(['status'], {}, directory)).code).toBe(5);
    });

    it('doctor finds what is amiss', async () => {
      const well = await berth(['doctor', '--json']);
      expect([well.code, JSON.parse(well.stdout)]).toMatchObject([
        0,
        expect.arrayContaining([
          expect.objectContaining({ subject: 'certificate', verdict: 'ok' }),
          expect.objectContaining({ subject: 'machine m1', verdict: 'ok' }),
        ]),
      ]);
      chmodSync(join(folder, '.berth/client.json'), 0o644);
      expect((await berth(['doctor'])).stdout).toContain('chmod 600');
      chmodSync(join(folder, '.berth/client.json'), 0o600);
      const down = await berth(['doctor'], { BERTH_URL: 'https://127.0.0.1:9', BERTH_KEY: 'x' });
      expect([down.code, down.stdout]).toEqual([1, expect.stringContaining('✗ address')]);
    });
  },
);
