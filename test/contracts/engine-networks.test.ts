import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryEngine } from '../../shared/docker/engine.memory.ts';
import type { ContainerRequest, Engine } from '../../shared/docker/engine.ts';
import { hasEngine, realEngine, type Subject } from '../support/real-engine.ts';

const IMAGE = 'berth.test/shell:1';
const tag = randomBytes(3).toString('hex');
/** Used by nothing else: the engine's bridges are this computer's own. */
const third = randomBytes(1)[0] ?? 0;

const kinds: [string, boolean, () => Promise<Subject>][] = [
  [
    'in memory',
    true,
    async () => {
      const engine = memoryEngine();
      await engine.pull(IMAGE, '');
      return { engine, stop: async () => {} };
    },
  ],
  ['real (needs root and dockerd)', hasEngine, () => realEngine([IMAGE])],
];

describe.each(kinds)('networks of an engine %s', (kind, there, start) => {
  const name = `berth-test-${tag}`;
  const network = {
    name,
    bridge: `bn${tag}`,
    subnet: `100.127.${third}.128/25`,
    gateway: `100.127.${third}.129`,
    mtu: 1420,
    trusted: 'lo',
  };
  const request: ContainerRequest = {
    name: `c-${tag}`,
    image: IMAGE,
    command: ['/bin/sleep', '1000'],
    environment: {},
    labels: {},
    cpu: 0.1,
    memory: 16,
    publish: undefined,
    stopGrace: 0,
    network: { name, resolver: `100.127.${third}.129`, search: ['shop.dev.berth'] },
  };

  describe.skipIf(!there)(kind, () => {
    let subject: Subject;
    let engine: Engine;
    beforeAll(async () => {
      subject = await start();
      engine = subject.engine;
    });
    afterAll(async () => {
      await engine?.remove(request.name);
      await engine?.removeNetwork(name);
      await subject?.stop();
    });

    it('are made when a container needs one, once, and go when it has none any more', async () => {
      const { id } = await engine.create(request);
      await expect(engine.start(id)).rejects.toMatchObject({ code: 'network-not-found' });
      await Promise.all([engine.ensureNetwork(network), engine.ensureNetwork(network)]);
      await engine.start(id);
      const address = (await engine.inspect(id))?.addresses?.[name];
      expect(address).toMatch(new RegExp(`^100\\.127\\.${third}\\.1[3-9]\\d$`));
      expect(await engine.removeNetwork(name)).toBe(false);
      await engine.remove(id);
      expect(await engine.removeNetwork(name)).toBe(true);
      expect(await engine.removeNetwork(name)).toBe(true);
    });

    it('that have another subnet are replaced', async () => {
      await engine.ensureNetwork({
        ...network,
        subnet: `100.126.${third}.0/25`,
        gateway: `100.126.${third}.1`,
      });
      await engine.ensureNetwork(network);
      const { id } = await engine.create(request);
      await engine.start(id);
      expect((await engine.inspect(id))?.addresses?.[name]).toContain(`100.127.${third}.`);
    });
  });
});
