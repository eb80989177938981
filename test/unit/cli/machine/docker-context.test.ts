import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  contextsOf,
  currentContext,
  removeContext,
  renewContexts,
  writeContext,
} from '../../../../cli/machine/docker-context.ts';

const installation = 'https://berth.example';
const context = { name: 'berth-x', host: 'tcp://192.0.2.7:2376', installation };
const hasDocker = spawnSync('docker', ['context', 'ls']).status === 0;

/** A certificate and key that docker can read. */
function material(folder: string) {
  const [key, cert] = [join(folder, 'k'), join(folder, 'c')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=x -keyout ${key} -out ${cert}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  const [keyText, certText] = [readFileSync(key, 'utf8'), readFileSync(cert, 'utf8')];
  return { ca: certText, cert: certText, key: keyText };
}

describe('contexts for docker', () => {
  let folder: string;
  let docker: string;
  let tls: ReturnType<typeof material>;
  const real = (...words: string[]) =>
    spawnSync('docker', words, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], DOCKER_CONFIG: docker, HOME: folder },
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-contexts-'));
    docker = join(folder, 'docker');
    tls = material(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(!hasDocker)('are those that docker itself would have written', () => {
    const { ca, cert, key } = { ca: join(folder, 'c'), cert: join(folder, 'c'), key: join(folder, 'k') };
    const made = real(
      'context',
      'create',
      'berth-x',
      '--docker',
      `host=${context.host},ca=${ca},cert=${cert},key=${key}`,
    );
    expect(made.stderr).toContain('Successfully created');
    const theirs = tree(docker);
    rmSync(docker, { recursive: true });
    expect(writeContext(docker, context, tls)).toBe(true);
    const ours = tree(docker);
    expect(ours.map(({ path, mode }) => `${path} ${mode}`)).toEqual(
      theirs.map(({ path, mode }) => `${path} ${mode}`),
    );
    const contents = (files: typeof ours) => files.filter(({ path }) => path.endsWith('.pem'));
    expect(contents(ours)).toEqual(contents(theirs));
    const metaOf = (files: typeof ours) =>
      JSON.parse(files.find(({ path }) => path.endsWith('meta.json'))?.text ?? '');
    expect({ ...metaOf(ours), Metadata: {} }).toEqual({ ...metaOf(theirs), Metadata: {} });
  });

  it.skipIf(!hasDocker)('are listed, shown, used, exported and removed by docker', () => {
    writeContext(docker, context, tls);
    expect(real('context', 'ls').stdout).toContain('tcp://192.0.2.7:2376');
    expect(JSON.parse(real('context', 'inspect', 'berth-x').stdout)).toMatchObject([
      {
        Endpoints: { docker: { Host: context.host, SkipTLSVerify: false } },
        TLSMaterial: { docker: ['ca.pem', 'cert.pem', 'key.pem'] },
      },
    ]);
    expect(real('context', 'use', 'berth-x').status).toBe(0);
    expect(currentContext(docker)).toBe('berth-x');
    expect(real('context', 'update', 'berth-x', '--description', 'mine').status).toBe(0);
    // What docker wrote anew is still ours.
    expect(contextsOf(docker, installation)).toEqual([context]);
    expect(real('context', 'rm', '-f', 'berth-x').status).toBe(0);
    expect(contextsOf(docker, installation)).toEqual([]);
  });

  it('leave alone what is somebody else’s', () => {
    writeContext(docker, context, tls);
    const before = tree(docker);
    const other = { ...context, host: 'tcp://192.0.2.8:2376', installation: 'https://other.example' };
    expect(writeContext(docker, other, { ...tls, key: 'k' })).toBe(false);
    expect(removeContext(docker, 'berth-x', other.installation)).toBe(false);
    renewContexts(docker, other.installation, { ...tls, key: 'k' });
    expect(tree(docker)).toEqual(before);
    expect(removeContext(docker, 'berth-x', installation)).toBe(true);
    expect(tree(docker)).toEqual([]);
  });

  it('get the new certificate, all of them, and keep everything else', () => {
    writeContext(docker, context, tls);
    writeContext(docker, { ...context, name: 'berth-y' }, tls);
    renewContexts(docker, installation, { ...tls, cert: 'new' });
    const certificates = tree(docker).filter(({ path }) => path.endsWith('/cert.pem'));
    expect(certificates.map(({ text }) => text)).toEqual(['new', 'new']);
    expect(
      contextsOf(docker, installation)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['berth-x', 'berth-y']);
  });
});

/** Files with mode and text, in order of their paths. */
const tree = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return {
        path: path.slice(root.length),
        mode: (statSync(path).mode & 0o777).toString(8),
        text: readFileSync(path, 'utf8'),
      };
    })
    .filter(({ path }) => !path.endsWith('config.json'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
