import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appCredential } from '../../infra/local/identity/app-credential.ts';
import { Replica, RolloutStatus } from '../../shared/model/service.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { long, random } from '../support/sample.ts';

const obstacle = await noMachines();
const SERVICE = '/api/v1/environments/dev/services/hello/web';
const Service = z.object({
  service: z.object({
    revision: z.number().optional(),
    healthyRevision: z.number().optional(),
    rollout: RolloutStatus,
  }),
  replicas: z.array(Replica),
});
const Machines = z.object({ machines: z.array(z.object({ name: z.string() })) });

/** Kills at moments that the seed chooses, during a deployment that a push sets off. */
const rounds = (process: 'app' | 'cloud' | 'storage', count: number) =>
  Array.from({ length: count }, (_, index) => ({
    process,
    round: index + 1,
    afterMs: Math.floor(random() * 4_000),
  }));

describe.skipIf(obstacle !== undefined)(`kill -9${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let centre: TestDataCentre;
  let version = 10;

  beforeAll(async () => {
    centre = await startTestDataCentre();
    await centre.mainJob();
  });
  afterAll(async () => {
    if (centre !== undefined) {
      console.log(centre.logs());
      await centre.close();
    }
  });

  it.each([
    ...rounds('app', long ? 20 : 6),
    ...rounds('cloud', long ? 5 : 2),
    ...rounds('storage', long ? 3 : 1),
  ])('of $process, $afterMs ms into a deployment (round $round)', async ({ process: name, afterMs }) => {
    version += 1;
    const victim = centre.running.processes[name];
    const killed = sleep(afterMs).then(() => {
      const pid = victim.pid();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    // The push itself may meet the killed process: then it is pushed again, as anybody would.
    const digest = await until('the push is accepted', () => centre.push(String(version)), 180);
    await killed;
    expect(digest).toMatch(/^sha256:/);
    if (name === 'storage') {
      // Azurite writes its index every few seconds: the last of them may be gone, that push included. The next one works.
      version += 1;
      await until('the next push is accepted', () => centre.push(String(version)), 180);
    }

    const healthy = await until(
      `version ${version} is served twice`,
      async () => {
        const { service, replicas } = await centre.call(Service, 'GET', SERVICE);
        const up = replicas.filter(({ status }) => status.state === 'healthy');
        if (service.rollout.state !== 'done' || up.length !== 2) return undefined;
        const texts = await Promise.all(
          up.map(async ({ address, port }) => (await fetch(`http://${address}:${port}/`)).text()),
        );
        return texts.every((text) => text.includes(`version ${version}`)) ? up : undefined;
      },
      240,
    );
    expect(new Set(healthy.map(({ slot }) => slot)).size).toBe(2);

    const [machine, ...others] = await centre.machines();
    expect(others).toEqual([]);
    const { machines } = await centre.call(Machines, 'GET', '/api/v1/machines');
    expect(machines.map((found) => found.name)).toEqual([machine]);
    await until('exactly two containers of the service are there', async () => {
      const list = 'docker ps --all --quiet --filter label=berth.service=dev.hello.web';
      return (await centre.shell(machine!, list)).trim().split('\n').length === 2;
    });
    await until('exactly one VM, NIC and disk are in ARM', async () => {
      const kinds = await armResources(centre);
      return kinds.join() === 'disk,nic,vm';
    });
  });
});

/** Kinds of the machines' resources that ARM has, sorted. */
async function armResources({ running }: TestDataCentre): Promise<string[]> {
  const { dataCentre } = running;
  const token = await appCredential(dataCentre).getToken('https://management.azure.com/.default');
  const group = `https://${dataCentre.gateway}:${dataCentre.ports.arm}/subscriptions/${dataCentre.subscription}/resourceGroups/${dataCentre.resourceGroup}/providers`;
  const list = async (kind: string, path: string): Promise<string[]> => {
    const response = await fetch(`${group}/${path}`, {
      headers: { authorization: `Bearer ${token?.token}` },
    });
    const { value } = z.object({ value: z.array(z.unknown()) }).parse(await response.json());
    return value.map(() => kind);
  };
  const found = await Promise.all([
    list('vm', 'Microsoft.Compute/virtualMachines?api-version=2024-07-01'),
    list('nic', 'Microsoft.Network/networkInterfaces?api-version=2024-05-01'),
    list('disk', 'Microsoft.Compute/disks?api-version=2024-03-02'),
  ]);
  return found.flat().sort();
}
