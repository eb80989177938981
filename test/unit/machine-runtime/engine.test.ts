import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demultiplex, engineApi, jsonLines } from '../../../infra/local/machine-runtime/engine-api.ts';
import { judgeEngine, whyNotUsable } from '../../../infra/local/machine-runtime/judge-engine.ts';

const version = { Version: '20.10.24', ApiVersion: '1.41' };
const info = {
  OSType: 'linux',
  OperatingSystem: 'Debian GNU/Linux 12',
  SecurityOptions: ['name=seccomp,profile=default'],
  NCPU: 2,
};

describe('an engine', () => {
  it('that runs as root on this Linux computer carries machines', () => {
    expect(whyNotUsable(version, info)).toBeUndefined();
    expect(
      whyNotUsable({ ...version, ApiVersion: '1.50' }, { ...info, SecurityOptions: null }),
    ).toBeUndefined();
  });

  it.each([
    ['is rootless', version, { ...info, SecurityOptions: ['name=seccomp', 'name=rootless'] }],
    ['maps users', version, { ...info, SecurityOptions: ['name=userns'] }],
    ['is Docker Desktop', version, { ...info, OperatingSystem: 'Docker Desktop' }],
    ['runs windows containers', version, { ...info, OSType: 'windows' }],
    ['is Podman', { ...version, Components: [{ Name: 'Podman Engine' }] }, info],
    ['speaks API 1.40', { ...version, ApiVersion: '1.40' }, info],
  ])('that %s does not, and says so', (reason, says, describes) => {
    expect(whyNotUsable(says, describes)).toContain(reason);
  });
});

describe('the engine client', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-engine-'));
  });

  let close = async () => {};
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells an engine that is not there from one that refuses', async () => {
    const socket = join(folder, 's');
    const api = engineApi(socket);
    expect(await judgeEngine(api)).toMatch(/does not answer/);
    await expect(api.send('GET', '/x')).rejects.toMatchObject({
      name: 'Retryable',
      code: 'engine-unreachable',
    });
    const server = createServer((request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status).end(JSON.stringify({ message: `no "${status}"` }));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    close = () => new Promise((resolve) => server.close(() => resolve()));
    await expect(api.send('POST', '/409')).rejects.toMatchObject({ name: 'Terminal', status: 409 });
    await expect(api.send('POST', '/500')).rejects.toMatchObject({
      name: 'Retryable',
      code: 'engine-failed',
    });
    await api.send('POST', '/404', undefined, [404]);
  });

  it('reads lines that arrive in pieces', async () => {
    const pieces = (async function* () {
      for (const text of ['{"a":1}\n{"a"', ':"ü', '"}\r\n', '{"a":3}']) yield Buffer.from(text);
    })();
    expect(await Array.fromAsync(jsonLines(pieces))).toEqual([{ a: 1 }, { a: 'ü' }, { a: 3 }]);
  });

  it('parts what the engine multiplexes', () => {
    const frame = (stream: number, text: string) =>
      Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
    expect(demultiplex(Buffer.concat([frame(1, 'a'), frame(2, 'oh'), frame(1, 'b')]))).toEqual({
      ...{ stdout: 'ab', stderr: 'oh' },
    });
  });
});
