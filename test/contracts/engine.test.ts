import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueClientCertificate } from '../../shared/certificates/client-certificate.ts';
import { ensureEngineCa } from '../../shared/certificates/engine-ca.ts';
import type { ClientIdentity } from '../../shared/docker/connection.ts';
import { httpsEngine } from '../../shared/docker/engine.https.ts';
import { memoryEngine } from '../../shared/docker/engine.memory.ts';
import type { ContainerRequest, Engine, LogLine } from '../../shared/docker/engine.ts';
import {
  freePort,
  hasEngine,
  machine,
  type RealEngine,
  realEngine,
  type Subject,
} from '../support/real-engine.ts';

/** Images that behave alike on every engine: `stays` runs until it is stopped, `ends` writes and exits with 3. */
const STAYS = 'berth.test/stays:1';
const ENDS = 'berth.test/ends:1';
const SCRIPTS: Readonly<Record<string, string>> = {
  [STAYS]: 'trap "exit 143" TERM; echo started; while :; do sleep 0.05; done',
  [ENDS]: 'echo one; echo two; exit 3',
};

const real = () => realEngine(Object.keys(SCRIPTS));

const memory = async (): Promise<Subject> => {
  const engine = memoryEngine();
  engine.control.behave(STAYS, { lines: ['started'] });
  engine.control.behave(ENDS, { lines: ['one', 'two'], exitCode: 3 });
  return { engine, stop: async () => {} };
};

const container = (name: string, image: string, more: Partial<ContainerRequest> = {}): ContainerRequest => ({
  name,
  image,
  command: ['/bin/sh', '-c', SCRIPTS[image] ?? ''],
  environment: { COLOUR: 'blue' },
  labels: { 'berth.test': name },
  cpu: 0.1,
  memory: 64,
  publish: undefined,
  stopGrace: 1,
  ...more,
});

async function linesOf(listing: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of listing) lines.push(line);
  return lines;
}

const subjects = [
  { kind: 'simulated', make: memory, skip: false },
  {
    kind: 'real, over mutual TLS (needs root and dockerd)',
    make: real,
    skip: !hasEngine,
  },
];

for (const { kind, make, skip } of subjects)
  describe.skipIf(skip)(`an engine, ${kind}`, () => {
    let subject: Subject;
    let engine: Engine;
    beforeAll(async () => {
      subject = await make();
      engine = subject.engine;
      for (const image of [STAYS, ENDS]) await engine.pull(image, '');
    });
    afterAll(() => subject?.stop());
    const begun = async (given: ContainerRequest): Promise<string> => {
      const { id } = await engine.create(given);
      await engine.start(id);
      return id;
    };

    it('says its version', async () => {
      const { api, engine: version } = await engine.version();
      expect(api).toMatch(/^\d+\.\d+$/);
      expect(version).not.toBe('');
    });

    it('creates a container once for a name', async () => {
      const first = await engine.create(container('once', STAYS));
      expect(await engine.create(container('once', STAYS))).toEqual(first);
      await expect(engine.create(container('once', ENDS))).rejects.toMatchObject({ code: 'name-conflict' });
      expect(await engine.inspect('once')).toEqual({
        id: first.id,
        name: 'once',
        image: STAYS,
        labels: { 'berth.test': 'once' },
        state: { state: 'created' },
      });
    });

    it('refuses an image that it has not', async () => {
      await expect(engine.create(container('none', 'berth.test/none:1'))).rejects.toMatchObject({
        code: 'image-not-found',
      });
    });

    it('runs, stops and removes, also when asked twice', async () => {
      const id = await begun(container('runs', STAYS));
      await engine.start(id);
      expect((await engine.inspect(id))?.state).toMatchObject({ state: 'running' });
      await engine.stop(id, 5);
      await engine.stop(id, 5);
      expect((await engine.inspect('runs'))?.state).toMatchObject({
        state: 'exited',
        exitCode: 143,
        outOfMemory: false,
      });
      await engine.remove(id);
      await engine.remove(id);
      await engine.stop(id, 1);
      expect(await engine.inspect(id)).toBeUndefined();
      await expect(engine.start(id)).rejects.toMatchObject({ code: 'container-not-found' });
    });

    it('lists by labels, the ended ones too', async () => {
      const labels = (slot: string) => ({ 'berth.listed': 'yes', slot });
      const id = await begun(container('listed-0', ENDS, { labels: labels('0') }));
      await begun(container('listed-1', STAYS, { labels: labels('1') }));
      await engine.wait(id);
      const names = async (...wanted: string[]) => (await engine.list(wanted)).map(({ name }) => name).sort();
      expect(await names('berth.listed')).toEqual(['listed-0', 'listed-1']);
      expect(await names('berth.listed=yes', 'slot=0')).toEqual(['listed-0']);
      expect(await names('berth.listed=no')).toEqual([]);
    });

    it('waits for the end, even of what is started later', async () => {
      const { id } = await engine.create(container('waits', ENDS));
      const ended = engine.wait(id);
      await engine.start(id);
      expect(await ended).toEqual({ exitCode: 3 });
      expect(await engine.wait(id)).toEqual({ exitCode: 3 });
      await expect(engine.wait('nothing')).rejects.toMatchObject({ code: 'container-not-found' });
    });

    it('gives a log: all, its end, and what came after a moment', async () => {
      const id = await begun(container('logs', ENDS));
      await engine.wait(id);
      const all = await linesOf(engine.logs(id, {}));
      expect(all.map(({ stream, text }) => `${stream} ${text}`)).toEqual(['stdout one', 'stdout two']);
      expect((await linesOf(engine.logs(id, { tail: 1 }))).map(({ text }) => text)).toEqual(['two']);
      const since = all[0]!.time;
      expect((await linesOf(engine.logs(id, { since }))).map(({ text }) => text)).toEqual(['two']);
      expect(await linesOf(engine.logs(id, { since: all[1]!.time }))).toEqual([]);
    });

    it('follows a log until its container ends, or the reader does', async () => {
      const id = await begun(container('followed', STAYS));
      const seen: string[] = [];
      for await (const { text } of engine.logs(id, { follow: true })) {
        seen.push(text);
        await engine.stop(id, 5);
      }
      expect(seen).toEqual(['started']);

      const other = await begun(container('abandoned', STAYS));
      const reader = new AbortController();
      for await (const _ of engine.logs(other, { follow: true, signal: reader.signal })) reader.abort();
      expect((await engine.inspect(other))?.state.state).toBe('running');
    });

    it('keeps a volume until it is removed, which no container may have then', async () => {
      const { volumes } = engine;
      const volume = { name: 'dev.shop.data.0', labels: { 'berth.volume': 'dev.shop.data.0' } };
      expect(await volumes.inspect(volume.name)).toBeUndefined();
      await volumes.create(volume);
      await volumes.create(volume);
      expect(await volumes.inspect(volume.name)).toEqual(volume);
      const mounts = [{ type: 'volume', name: volume.name, target: '/data', readOnly: false }] as const;
      const id = await begun(container('with-volume', STAYS, { mounts }));
      await expect(volumes.remove(volume.name)).rejects.toMatchObject({ code: 'volume-in-use' });
      await engine.remove(id);
      expect(await volumes.inspect(volume.name)).toEqual(volume);
      await volumes.remove(volume.name);
      await volumes.remove(volume.name);
      expect(await volumes.inspect(volume.name)).toBeUndefined();
    });

    it('gives a port to one container at a time', async () => {
      const publish = { container: 80, machine: await freePort(), address: '127.0.0.1' };
      const id = await begun(container('port-a', STAYS, { publish }));
      const second = await engine.create(container('port-b', STAYS, { publish }));
      await expect(engine.start(second.id)).rejects.toMatchObject({ code: 'port-taken' });
      await engine.remove(id);
      await engine.start(second.id);
      await engine.remove(second.id);
    });
  });

describe.skipIf(!hasEngine)('a real engine (needs root and dockerd)', () => {
  let subject: RealEngine;
  beforeAll(async () => {
    subject = await real();
  });
  afterAll(() => subject?.stop());

  const clientOf = (identity: ClientIdentity, name = machine.name) =>
    httpsEngine({ ...machine, name, port: subject.port, identity: async () => identity });

  it('admits clients of its own CA only', async () => {
    const other = await ensureEngineCa({ ensure: async (_, make) => await make() });
    const { certificate, key } = await issueClientCertificate(other, 'stranger', 60);
    await expect(
      clientOf({ certificate, key, ca: subject.ca.certificatePem }).version(),
    ).rejects.toMatchObject({ code: 'engine-tls-refused' });
  });

  it('is not believed under another name or CA', async () => {
    const other = await ensureEngineCa({ ensure: async (_, make) => await make() });
    for (const client of [
      clientOf(subject.identity, 'another-machine'),
      clientOf({ ...subject.identity, ca: other.certificatePem }),
    ])
      await expect(client.version()).rejects.toMatchObject({ code: 'engine-tls-refused' });
  });

  it('says that a command cannot run', async () => {
    const { engine } = subject;
    const { id } = await engine.create(container('missing', STAYS, { command: ['/no/such/program'] }));
    await expect(engine.start(id)).rejects.toMatchObject({ code: 'command-not-runnable' });
  });

  it('takes a renewed client certificate without a pause', async () => {
    let { identity } = subject;
    const engine = httpsEngine({ ...machine, port: subject.port, identity: async () => identity });
    await engine.version();
    const renewed = await issueClientCertificate(subject.ca, 'test', 60);
    identity = { ...identity, certificate: renewed.certificate, key: renewed.key };
    expect(await engine.list([])).toBeInstanceOf(Array);
  });

  it('is unreachable where nothing listens', async () => {
    const port = await freePort();
    const engine = httpsEngine({ ...machine, port, identity: async () => subject.identity });
    await expect(engine.inspect('x')).rejects.toMatchObject({ code: 'engine-unreachable' });
  });
});
