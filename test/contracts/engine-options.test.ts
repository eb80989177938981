import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerRequest, Engine } from '../../shared/docker/engine.ts';
import { type ContainerOptions, optionsOf } from '../../shared/model/container-options.ts';
import { hasEngine, realEngine, type Subject } from '../support/real-engine.ts';

const IMAGE = 'berth.test/shell:1';

describe.skipIf(!hasEngine)('container options on a real engine (needs root and dockerd)', () => {
  let subject: Subject;
  let engine: Engine;
  beforeAll(async () => {
    subject = await realEngine([IMAGE]);
    engine = subject.engine;
  });
  afterAll(() => subject?.stop());

  const request = (
    script: string,
    options: ContainerOptions,
    more: Partial<ContainerRequest>,
  ): ContainerRequest => ({
    name: `options-${randomUUID()}`,
    image: IMAGE,
    command: options.entrypoint === undefined ? ['/bin/sh', '-c', script] : ['-c', script],
    environment: {},
    labels: { 'berth.test': 'options' },
    cpu: 0.1,
    memory: 64,
    publish: undefined,
    stopGrace: 5,
    options,
    ...more,
  });
  /** What a script says in a container with these options. */
  const said = async (script: string, given: unknown, more: Partial<ContainerRequest> = {}) => {
    const { id } = await engine.create(request(script, optionsOf(given as ContainerOptions), more));
    await engine.start(id);
    const { exitCode } = await engine.wait(id);
    const lines: string[] = [];
    for await (const { text } of engine.logs(id, {})) lines.push(text);
    await engine.remove(id);
    return { exitCode, lines };
  };
  /** Lines of a file that begin so, by means of the shell alone. */
  const show = (file: string, beginning: string) =>
    `while read -r line; do case "$line" in ${beginning}*) echo "$line";; esac; done < ${file}`;

  it('the process is what it was said to be', async () => {
    const script = [
      'echo "$0 $PWD $(ulimit -n)"',
      'read -r name < /proc/sys/kernel/hostname; echo "$name"',
      'read -r most < /proc/sys/net/core/somaxconn; echo "$most"',
      show('/proc/self/status', 'Uid:'),
      show('/proc/self/status', 'Groups:'),
      show('/proc/self/status', 'CapEff:'),
      show('/proc/self/status', 'NoNewPrivs:'),
      show('/etc/hosts', '10.0.0.9'),
    ].join('; ');
    const { lines } = await said(script, {
      entrypoint: ['/bin/sh'],
      user: '1000:1000',
      groupAdd: ['20'],
      workingDirectory: '/tmp',
      hostname: 'box',
      capDrop: ['ALL'],
      noNewPrivileges: true,
      ulimits: { nofile: 1024 },
      sysctls: { 'net.core.somaxconn': '7' },
      extraHosts: { db: '10.0.0.9' },
    });
    expect(lines.map((line) => line.replaceAll(/\s+/g, ' ').trim())).toEqual([
      '/bin/sh /tmp 1024',
      'box',
      '7',
      'Uid: 1000 1000 1000 1000',
      expect.stringMatching(/^Groups:.*\b20\b/),
      'CapEff: 0000000000000000',
      'NoNewPrivs: 1',
      '10.0.0.9 db',
    ]);
  });

  it('the file system is read-only but for what is memory, of the size and mode that was asked for', async () => {
    const script = `(echo x > /file) 2>&1; echo x > /cache/file && echo written; ${show('/proc/mounts', 'tmpfs')}; ${show('/proc/mounts', 'shm')}`;
    const { lines } = await said(script, {
      readOnly: true,
      tmpfs: [{ target: '/cache', size: 16, mode: '0700' }],
      shmSize: 8,
    });
    expect(lines[0]).toContain('Read-only file system');
    expect(lines).toContain('written');
    expect(lines).toContainEqual(expect.stringMatching(/^tmpfs \/cache .*size=16384k,mode=700/));
    expect(lines).toContainEqual(expect.stringMatching(/^shm \/dev\/shm .*size=8192k/));
  });

  it('a first process passes signals on, and the stop signal is the one that was asked for', async () => {
    const { id } = await engine.create(
      request(
        'trap "exit 7" QUIT; echo ready; while :; do sleep 0.05; done',
        optionsOf({ init: true, stopSignal: 'SIGQUIT' }),
        {},
      ),
    );
    await engine.start(id);
    for await (const { text } of engine.logs(id, { follow: true })) {
      expect(text).toBe('ready');
      await engine.stop(id, 5);
    }
    expect(await engine.wait(id)).toEqual({ exitCode: 7 });
    expect((await said('read -r name < /proc/1/comm; echo "$name"', { init: true })).lines).toEqual([
      'docker-init',
    ]);
    await engine.remove(id);
  });

  it('a terminal is one, and its log is read as any other', async () => {
    const { lines } = await said('[ -t 1 ] && echo terminal; echo to-error >&2', { tty: true });
    expect(lines).toEqual(['terminal', 'to-error']);
  });

  it('more capabilities, and all of them', async () => {
    const caps = async (options: unknown) =>
      (await said(show('/proc/self/status', 'CapEff:'), options)).lines[0];
    expect(await caps({ capDrop: ['ALL'], capAdd: ['NET_BIND_SERVICE'] })).toContain('0000000000000400');
  });

  it('a volume keeps what was written, and one that is read-only is', async () => {
    await engine.volumes.create({ name: 'kept', labels: {} });
    const mount = (readOnly: boolean) => ({
      mounts: [{ type: 'volume', name: 'kept', target: '/data', readOnly }] as const,
    });
    await said('echo written > /data/file', {}, mount(false));
    const { lines } = await said(
      'read -r x < /data/file; echo "$x"; (echo y > /data/file) 2>&1',
      {},
      mount(true),
    );
    expect(lines[0]).toBe('written');
    expect(lines[1]).toContain('Read-only file system');
    await engine.volumes.remove('kept');
  });

  it('a sidecar is in the network of its container, and is started again when it ends', async () => {
    const main = await engine.create(request('while :; do sleep 0.05; done', { hostname: 'box' }, {}));
    await engine.start(main.id);
    const script = 'read -r name < /proc/sys/kernel/hostname; echo "$name"; exit 1';
    const sidecar = await engine.create(request(script, {}, { sharesNetworkOf: main.id }));
    await engine.start(sidecar.id);
    const lines: string[] = [];
    for await (const { text } of engine.logs(sidecar.id, { follow: true })) lines.push(text);
    while (lines.length < 2)
      for await (const { text } of engine.logs(sidecar.id, { follow: true })) lines.push(text);
    expect(new Set(lines)).toEqual(new Set(['box']));
    await engine.remove(sidecar.id);
    await engine.remove(main.id);
  });

  it('what the engine refuses is said with its words', async () => {
    const wrong = optionsOf({ ulimits: { nofile: { soft: 2 ** 40, hard: 2 ** 40 } } });
    const { id } = await engine.create(request('true', wrong, {}));
    await expect(engine.start(id)).rejects.toThrow(/rlimit|operation not permitted|ulimit/i);
    await engine.remove(id);
  });
});
