import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpsAccess } from '../../shared/docker/access.https.ts';
import { memoryAccess } from '../../shared/docker/access.memory.ts';
import type { Channel, ContainerAccess } from '../../shared/docker/access.ts';
import { memoryEngine } from '../../shared/docker/engine.memory.ts';
import type { Engine } from '../../shared/docker/engine.ts';
import { hasEngine, machine, realEngine } from '../support/real-engine.ts';

const IMAGE = 'berth.test/stays:1';
const PROGRAMS = ['sh', 'sleep', 'cat', 'echo', 'mkdir', 'stty'].map((name) => `/bin/${name}`);
/** Reads lines and says them again; a line `exit` ends it with 7. */
const SHELL = 'while read -r line; do [ "$line" = exit ] && exit 7; printf "%s\\n" "$line"; done; exit 3';
const SIZED = `until [ "$(stty size)" = "40 100" ]; do sleep 0.05; done; stty size; ${SHELL}`;

interface Subject {
  readonly engine: Engine;
  readonly access: ContainerAccess;
  stop(): Promise<void>;
}

const real = async (): Promise<Subject> => {
  const made = await realEngine([IMAGE], PROGRAMS);
  const { port, identity } = made;
  const access = httpsAccess({ ...machine, port, identity: async () => identity });
  return { engine: made.engine, access, stop: made.stop };
};

const memory = async (): Promise<Subject> => {
  const engine = memoryEngine();
  return { engine, access: memoryAccess(engine), stop: async () => {} };
};

const begin = async ({ engine }: Subject, name: string): Promise<string> => {
  await engine.pull(IMAGE, '');
  const { id } = await engine.create({
    name,
    image: IMAGE,
    command: ['/bin/sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done'],
    environment: {},
    labels: {},
    cpu: 0.1,
    memory: 64,
    publish: undefined,
    stopGrace: 1,
  });
  await engine.start(id);
  return id;
};

async function read(channel: Channel): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const read: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of channel.output) read[stream].push(bytes);
  return { stdout: Buffer.concat(read.stdout), stderr: Buffer.concat(read.stderr) };
}

describe.each([
  { kind: 'simulated', make: memory, skip: false },
  { kind: 'real, over mutual TLS (needs root and dockerd)', make: real, skip: !hasEngine },
])('access to containers, $kind', ({ make, skip }) => {
  let subject: Subject;
  let id: string;
  beforeAll(async () => {
    if (skip) return;
    subject = await make();
    id = await begin(subject, 'worked-with');
  });
  afterAll(() => subject?.stop());

  it.skipIf(skip)('runs a command: its words, and its end', async () => {
    const channel = await subject.access.exec(id, {
      command: ['echo', 'hello', 'you'],
      tty: false,
      stdin: false,
    });
    expect((await read(channel)).stdout.toString()).toBe('hello you\n');
    expect(await channel.exit()).toBe(0);
  });

  it.skipIf(skip)('gives every byte of an input, and its end', async () => {
    const channel = await subject.access.exec(id, { command: ['cat'], tty: false, stdin: true });
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await channel.write(bytes);
    channel.end();
    expect((await read(channel)).stdout.equals(bytes)).toBe(true);
    expect(await channel.exit()).toBe(0);
  });

  it.skipIf(skip)('says of what is not there that it is not', async () => {
    const command = { command: ['cat'], tty: false, stdin: false };
    await expect(subject.access.exec('nothing', command)).rejects.toMatchObject({
      code: 'container-not-found',
    });
    await expect(subject.access.stat(id, '/no/such/file')).rejects.toMatchObject({ code: 'path-not-found' });
    await expect(subject.access.getArchive(id, '/no/such/file')).rejects.toMatchObject({
      code: 'path-not-found',
    });
    const missing = await subject.access.exec(id, { ...command, command: ['/no/such/program'] }).then(
      async (channel) => {
        await read(channel);
        return await channel.exit();
      },
      (error: { code: string }) => error.code,
    );
    expect([126, 127, 'engine-refused', 'engine-failed']).toContain(missing);
  });

  it.skipIf(skip)('tells what a container uses, and nothing of one that has ended', async () => {
    const usage = await subject.access.usage(id);
    expect(usage?.cpu).toBeGreaterThan(0);
    expect(usage?.memory).toBeGreaterThan(0);
    expect(usage?.memoryLimit).toBe(64 * 1024 * 1024);
    const ended = await begin(subject, 'worked-with-and-ended');
    await subject.engine.stop(ended, 1);
    expect(await subject.access.usage(ended)).toBeUndefined();
    await expect(
      subject.access.exec(ended, { command: ['cat'], tty: false, stdin: false }),
    ).rejects.toMatchObject({ code: 'container-not-running' });
  });
});

describe.skipIf(!hasEngine)('access to containers of a real engine', () => {
  let subject: Subject;
  let id: string;
  beforeAll(async () => {
    subject = await real();
    id = await begin(subject, 'worked-with');
  });
  afterAll(() => subject?.stop());

  it('has a terminal of a size, and the exit code of what ran there', async () => {
    const channel = await subject.access.exec(
      id,
      { command: ['/bin/sh', '-c', SIZED], tty: true, stdin: true },
      { rows: 24, columns: 80 },
    );
    await channel.resize({ rows: 40, columns: 100 });
    await channel.write(Buffer.from('word\nexit\n'));
    const { stdout } = await read(channel);
    expect(stdout.toString()).toContain('40 100');
    // The terminal says what is typed, and the shell says it again.
    expect(stdout.toString().match(/word\r\n/g)?.length).toBe(2);
    expect(await channel.exit()).toBe(7);
  });

  it('keeps both streams apart, has its environment and folder', async () => {
    const channel = await subject.access.exec(id, {
      command: ['/bin/sh', '-c', 'printf "%s in %s" "$WORD" "$PWD"; echo bad >&2; exit 5'],
      tty: false,
      stdin: false,
      environment: { WORD: 'given' },
      workingDirectory: '/bin',
    });
    const { stdout, stderr } = await read(channel);
    expect([stdout.toString(), stderr.toString()]).toEqual(['given in /bin', 'bad\n']);
    expect(await channel.exit()).toBe(5);
  });

  it('copies folders out and in again', async () => {
    const { access } = subject;
    const run = async (script: string) => {
      const channel = await access.exec(id, {
        command: ['/bin/sh', '-c', script],
        tty: false,
        stdin: false,
      });
      const { stdout } = await read(channel);
      await channel.exit();
      return stdout.toString();
    };
    await run('mkdir -p /tmp/there/sub /tmp/again; printf content > /tmp/there/sub/file');
    expect(await access.stat(id, '/tmp/there')).toMatchObject({ name: 'there', isFolder: true });
    expect(await access.stat(id, '/tmp/there/sub/file')).toMatchObject({ size: 7, isFolder: false });
    await access.putArchive(id, '/tmp/again', await access.getArchive(id, '/tmp/there'));
    expect(await run('cat /tmp/again/there/sub/file')).toBe('content');
    await expect(
      access.putArchive(id, '/no/such/folder', await access.getArchive(id, '/tmp/there')),
    ).rejects.toMatchObject({ code: 'path-not-found' });
  });
});
