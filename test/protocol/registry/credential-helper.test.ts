import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashKey, makeKey } from '../../../shared/auth/api-key.ts';
import { keyStore } from '../../../shared/auth/key-store.ts';
import { startDockerEngine } from '../../support/docker-engine.ts';
import { serveHandler, testRegistry } from '../../support/registry-server.ts';
import { registryStorages } from '../../support/registry-storage.ts';
import { hasProgram, isRoot } from '../../support/tool.ts';

/** `berth registry login`, and real clients that then push and pull without any other login. */
const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
/** The Node.js that runs the tests, and the system's own if it is another: fresh machines have 20. */
const runtimes = [process.execPath, '/usr/bin/node', '/usr/local/bin/node']
  .filter(existsSync)
  .filter((node, index, all) => all.findIndex((other) => versionOf(other) === versionOf(node)) === index);

const key = makeKey('admin');
let directory: string;
let server: Awaited<ReturnType<typeof serveHandler>>;
let registry: Awaited<ReturnType<typeof testRegistry>>;
/** What a user's shell has: the program on the PATH, a home, a folder with `.berth/client.json`. */
let shell: { cwd: string; env: Record<string, string> };
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'build/cli.mjs')]);
  directory = await mkdtemp(join(tmpdir(), 'credential-helper-'));
  const storage = await registryStorages.memory();
  registry = await testRegistry(storage, { credentials: keyStore(storage.tables, hashKey(key)) });
  server = await serveHandler(registry.handle);
  const [bin, cwd] = [join(directory, 'bin'), join(directory, 'project')];
  await mkdir(bin);
  await mkdir(join(cwd, '.berth'), { recursive: true });
  for (const name of ['berth', 'docker-credential-berth'])
    await symlink(join(root, `dist/cli/${name}.mjs`), join(bin, name));
  // The registry of this test speaks plain HTTP on the loopback, which clients allow; the helper goes by the host alone.
  const client = { url: 'https://10.99.0.1:1', key, registries: [server.host] };
  await writeFile(join(cwd, '.berth/client.json'), JSON.stringify(client), { mode: 0o600 });
  shell = {
    cwd,
    env: {
      PATH: [bin, dirname(process.execPath), process.env.PATH ?? ''].join(':'),
      HOME: directory,
      DOCKER_CONFIG: join(directory, '.docker'),
    },
  };
});
afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

const run = async (program: string, ...args: string[]): Promise<string> => {
  const { stdout } = await execute(program, args, { cwd: shell.cwd, env: shell.env, maxBuffer: 1 << 24 });
  return stdout;
};
const configFile = () => join(directory, '.docker/config.json');
const config = async () => JSON.parse(await readFile(configFile(), 'utf8')) as Record<string, unknown>;

describe('berth registry login', () => {
  test('puts the helper into what is there, and logout takes it out', async () => {
    await run('berth', 'registry', 'login');
    const helpers = { '10.99.0.1:1': 'berth', [server.host]: 'berth' };
    expect(await config()).toEqual({ credHelpers: helpers });
    expect((await stat(configFile())).mode & 0o777).toBe(0o600);
    await writeFile(configFile(), JSON.stringify({ auths: { x: {} }, credHelpers: { y: 'pass' } }), {
      mode: 0o644,
    });
    await run('berth', 'registry', 'login', server.host);
    expect(await config()).toEqual({ auths: { x: {} }, credHelpers: { y: 'pass', [server.host]: 'berth' } });
    await run('berth', 'registry', 'logout');
    expect(await config()).toEqual({ auths: { x: {} }, credHelpers: { y: 'pass' } });
  });

  test('writes through a link, and leaves alone what it does not understand', async () => {
    const dotfiles = join(directory, 'dotfiles.json');
    await rm(configFile());
    await writeFile(dotfiles, '{}');
    await symlink(dotfiles, configFile());
    await run('berth', 'registry', 'login');
    expect(JSON.parse(await readFile(dotfiles, 'utf8'))).toHaveProperty('credHelpers');
    await writeFile(dotfiles, 'nonsense');
    await expect(run('berth', 'registry', 'login')).rejects.toThrow('no configuration of docker');
    expect(await readFile(dotfiles, 'utf8')).toBe('nonsense');
    await rm(configFile());
  });
});

describe.each(runtimes.map((node) => [versionOf(node), node] as const))(
  'the program on Node.js %s',
  (_v, node) => {
    const helper = (args: string[], input: string, over: Record<string, string> = {}, cwd = shell.cwd) => {
      const program = join(root, 'dist/cli/docker-credential-berth.mjs');
      const env = { PATH: process.env.PATH ?? '', ...over };
      const { status, stdout } = spawnSync(node, [program, ...args], { input, cwd, env, encoding: 'utf8' });
      return [status, stdout.trim()];
    };

    test('finds the key where the command line does', () => {
      const [status, text] = helper(['get'], server.host);
      expect([status, JSON.parse(String(text))]).toEqual([
        0,
        { ServerURL: server.host, Username: 'berth', Secret: key },
      ]);
      const environment = { BERTH_URL: 'https://berth.test', BERTH_KEY: 'berth_of_environment' };
      expect(helper(['get'], 'berth.test', environment)).toEqual([
        0,
        expect.stringContaining('berth_of_environment'),
      ]);
      expect(helper(['get'], server.host, environment)).toEqual([
        1,
        'credentials not found in native keychain',
      ]);
      expect(helper(['get'], server.host, {}, '/')).toEqual([1, 'credentials not found in native keychain']);
      expect(helper(['list'], '', {}, '/')).toEqual([0, '{}']);
      expect(helper([], '')).toEqual([1, expect.stringContaining('Usage: docker-credential-berth')]);
    });

    test('says what is wrong with a connection', () => {
      expect(helper(['get'], server.host, { BERTH_URL: 'nonsense', BERTH_KEY: 'x' })).toEqual([
        1,
        expect.stringContaining('BERTH_URL does not say where Berth is'),
      ]);
    });
  },
);

describe('clients that never logged in', () => {
  beforeAll(async () => {
    await run('berth', 'registry', 'login');
    const content = join(directory, 'content');
    await mkdir(content);
    await writeFile(join(content, 'file'), randomBytes(2000));
    await execute('tar', ['-C', content, '-cf', join(directory, 'root.tar'), '.']);
  });
  const hasTag = async (repository: string): Promise<boolean> => {
    const token = await registry.deps.tokens.issuePullToken(repository as never, 60);
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://${server.host}/v2/${repository}/manifests/1`, { headers })).ok;
  };

  test.skipIf(!hasProgram('dockerd') || !hasProgram('docker') || !isRoot)(
    'docker pushes and pulls (needs root and dockerd)',
    async () => {
      const engine = await startDockerEngine(await mkdtemp(join(directory, 'engine-')));
      try {
        const docker = (...args: string[]) => run('docker', '--host', engine.host, ...args);
        const image = `${server.host}/by/docker:1`;
        await docker('import', join(directory, 'root.tar'), image);
        await docker('push', image);
        expect(await hasTag('by/docker')).toBe(true);
        await docker('rmi', image);
        await docker('pull', image);
        await expect(docker('logout', server.host)).resolves.toContain('Removing login credentials');
        await docker('pull', image);
        // From a folder where no key is found, docker asks without one.
        const elsewhere = execute('docker', ['--host', engine.host, 'pull', `${server.host}/by/other:1`], {
          cwd: '/',
          env: shell.env,
        });
        await expect(elsewhere).rejects.toThrow(/denied|unauthorized|no basic auth/i);
      } finally {
        await engine.stop();
      }
    },
  );

  test.skipIf(!hasProgram('skopeo') || !hasProgram('podman') || !isRoot)(
    'podman pushes and skopeo inspects (need root)',
    async () => {
      const place = ['--root', join(directory, 'podman'), '--runroot', join(directory, 'podman-run')];
      const podman = (...args: string[]) => run('podman', ...place, '--storage-driver', 'vfs', ...args);
      const image = `${server.host}/by/podman:1`;
      await podman('import', join(directory, 'root.tar'), image);
      await podman('push', '--tls-verify=false', image);
      expect(await hasTag('by/podman')).toBe(true);
      expect(await run('skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${image}`)).toContain(
        'layers',
      );
    },
  );
});
