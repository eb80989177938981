import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerMachineRuntime } from '../../infra/local/machine-runtime/docker-machine-runtime.ts';
import { ensureEngine, type HostEngine, whyNoEngine } from '../../infra/local/machine-runtime/engine.ts';
import {
  ensureMachineNetwork,
  removeMachineNetwork,
} from '../../infra/local/machine-runtime/machine-network.ts';
import type { MachineRuntime } from '../../infra/local/machine-runtime/machine-runtime.ts';
import { stopEngine } from '../../infra/local/machine-runtime/own-engine.ts';
import { ensurePlatformCa, type PlatformCa } from '../../infra/local/platform-ca/authority.ts';
import { entrust } from './custodian.ts';

/** Kept between runs, so that only the first makes the machine image. */
export const cache = fileURLToPath(new URL('../../.berth/cache', import.meta.url));

export interface TestMachines {
  readonly id: string;
  readonly directory: string;
  readonly engine: HostEngine;
  readonly network: { readonly subnet: string; readonly gateway: string };
  readonly metadataPort: number;
  readonly appPort: number;
  readonly ca: PlatformCa;
  readonly runtime: MachineRuntime;
  /** Starts our engine again, as the next start of a data centre does. */
  restartEngine(): Promise<void>;
  /** Another runtime over the same machines, as after a restart of its process. */
  again(): Promise<MachineRuntime>;
  /** Removes everything: machines, network, and the engine if it was started for this. */
  close(): Promise<void>;
}

/** Why machines cannot run here; undefined if they can. */
export const noMachines = (): Promise<string | undefined> => whyNoEngine(process.env['DOCKER_HOST']);

/** A data centre of its own: engine, network, platform CA and an empty machine runtime. */
export async function startMachines(dockerHost = process.env['DOCKER_HOST']): Promise<TestMachines> {
  const id = randomBytes(4).toString('hex');
  const directory = mkdtempSync(join(tmpdir(), 'berth-machines-'));
  const report = (line: string) => console.log(`  ${line}`);
  const dismiss = entrust({ kind: 'machines', directory, id });
  const undo: (() => Promise<unknown>)[] = [
    async () => dismiss(),
    async () => rmSync(directory, { recursive: true, force: true }),
  ];
  const close = async () => {
    const failed: unknown[] = [];
    for (const step of undo.splice(0).reverse()) await step().catch((error) => failed.push(error));
    if (failed.length > 0) throw new AggregateError(failed, 'machines were not cleaned up');
  };
  try {
    undo.push(() => stopEngine({ id, directory }));
    const find = () => ensureEngine({ id, directory, dockerHost, report });
    const engine = await find();
    const name = `berth-${id}`;
    undo.push(() => removeMachineNetwork(engine, name));
    const network = await ensureMachineNetwork(engine, { id, name, avoid: [] });
    const ca = await ensurePlatformCa(join(directory, 'ca'));
    const [metadataPort, appPort] = [await freePort(network.gateway), await freePort(network.gateway)];
    const open = async () => {
      const runtime = await dockerMachineRuntime({
        ...{ engine, id, directory, cache, network: name, ...network, metadataPort, report },
        openPorts: [appPort],
        authority: ca.certificatePem,
      });
      undo.push(() => runtime.close());
      return runtime;
    };
    const runtime = await open();
    undo.push(async () => {
      for (const machine of await runtime.list()) await runtime.remove(machine);
    });
    const restartEngine = async () => {
      await find();
      await ensureMachineNetwork(engine, { id, name, avoid: [], subnet: network.subnet });
    };
    return {
      ...{ id, directory, engine, network, metadataPort, appPort, ca, runtime, restartEngine, close },
      again: open,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
