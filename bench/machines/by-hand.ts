import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { capturedImageName } from '../../infra/local/machine-runtime/capture.ts';
import { addressIn } from '../../infra/local/machine-runtime/free-subnet.ts';
import { admitBridge, machineBridge } from '../../infra/local/machine-runtime/host-settings.ts';
import type { MachineRequest } from '../../infra/local/machine-runtime/machine-runtime.ts';
import type { RunningDataCentre } from '../../infra/local/supervisor/start-data-centre.ts';
import { engines } from '../../shared/docker/engines.ts';
import { renderCloudInit } from '../../shared/machines/cloud-init.ts';
import { PoolSpec } from '../../shared/model/pool.ts';
import { startMachines } from '../../test/support/machines.ts';
import { startRegisteringApp } from '../../test/support/registering-app.ts';

/** Machines that are made and started through the engine alone, with the seed that the app would give them. */
export interface ByHand {
  /** Takes over the golden image that the app has captured. */
  takeGolden(): Promise<void>;
  /**
   * Creates and starts so many containers at once, and waits until every engine in them answers with mutual TLS.
   * @returns milliseconds
   */
  start(image: 'golden' | 'marketplace', count?: number): Promise<number>;
  close(): Promise<void>;
}

const MOST = 200;
const GOLDEN = 'bench-golden';
/** What pools boot that say nothing else. */
const IMAGE = PoolSpec.parse({}).image;
/** Milliseconds between questions to an engine that does not answer yet. */
const ASK_EVERY = 20;

export async function byHand({ engine, dataCentre }: RunningDataCentre): Promise<ByHand> {
  const machines = await startMachines(`unix://${dataCentre.engineSocket}`);
  const { subnet } = machines.network;
  // To this side the data centre's own engine is one that was there before, whose networks are not its business: without
  // this its machines would not reach the packages that cloud-init installs. The rules go with that data centre.
  if (engine.own) await admitBridge(dataCentre.id, machineBridge(machines.id), subnet);
  const prefix = `hand-${randomBytes(2).toString('hex')}`;
  const known = Object.fromEntries(
    Array.from({ length: MOST }, (_none, index) => [`${prefix}-${index}`, addressIn(subnet, 10 + index)]),
  );
  const unused = Object.entries(known);
  const app = await startRegisteringApp(machines, known).catch(async (error: unknown) => {
    await machines.close();
    throw error;
  });

  const requestOf = (name: string, address: string, image: 'golden' | 'marketplace'): MachineRequest => ({
    name,
    address,
    image:
      image === 'golden' ? { kind: 'captured', imageId: GOLDEN } : { kind: 'marketplace', reference: IMAGE },
    customData: Buffer.from(
      renderCloudInit({
        machine: name,
        appUrl: app.url,
        engineCaCertificate: app.engineCa.certificatePem,
        network: subnet,
        image: IMAGE,
        installed: image === 'golden',
      }),
    ).toString('base64'),
    // As of Standard_B2s, which the app takes.
    cores: 2,
    memory: 4096,
    adminUser: 'berth',
    sshKeys: [],
    inboundRules: [],
  });
  const answers = async (name: string, address: string): Promise<void> => {
    for (;;) {
      const one = await engines(app.identity)({ name, address });
      try {
        await one.version();
        return;
      } catch {
        await sleep(ASK_EVERY);
      }
    }
  };
  return {
    async takeGolden() {
      const filters = JSON.stringify({ reference: [`berth/captured-${dataCentre.id}`] });
      const [found] = await engine.api.json(
        z.array(z.object({ Id: z.string() })),
        'GET',
        `/images/json?${new URLSearchParams({ filters })}`,
      );
      if (found === undefined) throw new Error('the app has captured no image');
      const [repo, tag] = capturedImageName(machines.id, GOLDEN).split(':');
      await engine.api.send(
        'POST',
        `/images/${found.Id}/tag?${new URLSearchParams({ repo: repo ?? '', tag: tag ?? '' })}`,
      );
    },
    async start(image, count = 1) {
      const chosen = unused.splice(0, count);
      const began = performance.now();
      await Promise.all(
        chosen.map(async ([name, address]) => {
          await machines.runtime.create(requestOf(name, address, image));
          await answers(name, address);
        }),
      );
      const took = performance.now() - began;
      for (const [name] of chosen) await machines.runtime.remove(name);
      return took;
    },
    async close() {
      await machines.runtime.removeImage(GOLDEN);
      await app.close();
      await machines.close();
    },
  };
}
