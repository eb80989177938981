import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../infra/local/machine-runtime/command.ts';
import { ensureEngine, type HostEngine } from '../../infra/local/machine-runtime/engine.ts';
import {
  ensureMachineNetwork,
  removeMachineNetwork,
} from '../../infra/local/machine-runtime/machine-network.ts';
import { stopEngine } from '../../infra/local/machine-runtime/own-engine.ts';
import { until } from '../support/conditions.ts';
import { noMachines } from '../support/machines.ts';

const obstacle = (await noMachines()) ?? (process.getuid?.() === 0 ? undefined : 'needs root');

describe.skipIf(obstacle !== undefined)(
  `our own engine${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    const id = randomBytes(4).toString('hex');
    const place = { id, directory: join(tmpdir(), `berth-engine-${id}`) };
    // An address that is refused: nothing but our own engine is left to use.
    const options = { ...place, dockerHost: 'tcp://127.0.0.1:1', report: () => {} };
    const network = { id, name: `berth-${id}`, avoid: [] };
    let engine: HostEngine;
    const trustKey = existsSync('/etc/docker/key.json');
    const pid = () => Number(readFileSync(`/run/berth-${id}/docker.pid`, 'utf8'));
    const rules = async () =>
      (await run('iptables-save', [])).split('\n').filter((line) => line.includes(id));

    beforeAll(async () => {
      engine = await ensureEngine(options);
    });
    afterAll(async () => {
      await stopEngine(place);
      rmSync(place.directory, { recursive: true, force: true });
    });

    it('is adopted by the next process', async (test) => {
      if (!engine.own) return test.skip('this computer has a Docker engine of its own');
      const before = pid();
      expect((await ensureEngine(options)).own).toBe(true);
      expect(pid()).toBe(before);
    });

    it('gives the machines a network that is the same after it was killed', async (test) => {
      if (!engine.own) return test.skip('this computer has a Docker engine of its own');
      const first = await ensureMachineNetwork(engine, network);
      expect(await ensureMachineNetwork(engine, network)).toEqual(first);
      process.kill(pid(), 'SIGKILL');
      await until('it is gone', () => !existsSync(`/proc/${pid()}`));
      engine = await ensureEngine(options);
      expect(await ensureMachineNetwork(engine, { ...network, subnet: first.subnet })).toEqual(first);
      expect(await rules()).toHaveLength(8);
      await removeMachineNetwork(engine, network.name);
      expect(await ensureMachineNetwork(engine, { ...network, subnet: first.subnet })).toEqual(first);
    });

    it('leaves this computer as it was', async (test) => {
      if (!engine.own) return test.skip('this computer has a Docker engine of its own');
      await stopEngine(place);
      expect(await rules()).toEqual([]);
      expect(readdirSync('/sys/class/net').filter((name) => name.includes(id))).toEqual([]);
      expect(existsSync(`/run/berth-${id}`)).toBe(false);
      if (!trustKey) expect(existsSync('/etc/docker/key.json')).toBe(false);
      // Stopping what is stopped is no error, and what it stored is there again.
      await stopEngine(place);
      engine = await ensureEngine(options);
      expect(engine.own).toBe(true);
    });
  },
);
