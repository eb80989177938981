import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { containerName } from '../../infra/local/machine-runtime/machine-container.ts';
import { Machine } from '../../shared/model/machine.ts';
import { Replica } from '../../shared/model/service.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';

const obstacle = long ? await noMachines() : 'in the long tests';
const Machines = z.object({ machines: z.array(Machine) });
const Service = z.object({ replicas: z.array(Replica) });
/** Seconds that a machine may take to come up. */
const BOOT = 500;

describe.skipIf(obstacle !== undefined)(
  `machines that leave${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let centre: TestDataCentre;
    beforeAll(async () => {
      centre = await startTestDataCentre();
      await centre.mainJob();
    });
    afterAll(async () => {
      if (centre === undefined) return;
      console.log(centre.logs());
      await centre.close();
    });

    const machines = async () => (await centre.call(Machines, 'GET', '/api/v1/machines')).machines;
    const healthy = async () => {
      const path = '/api/v1/environments/dev/services/hello/web';
      const { replicas } = await centre.call(Service, 'GET', path);
      return replicas.filter(({ status }) => status.state === 'healthy');
    };
    const deploy = (pool: object) =>
      centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', {
        name: 'hello',
        pools: { default: pool },
        services: {
          web: {
            image: 'hello/web:latest',
            replicas: 2,
            port: 8080,
            health: { path: '/' },
            resources: { cpu: 0.1, memory: 32 },
          },
        },
      });
    const ready = (count: number) =>
      until(
        `${count} machines are ready`,
        async () => {
          const all = (await machines()).filter(
            ({ status, cordon }) => status.state === 'ready' && cordon === undefined,
          );
          return all.length === count && all;
        },
        BOOT,
      );
    /** Both replicas are healthy, and none of them on this machine. */
    const moved = (from: string, seconds: number) =>
      until(
        `no replica is on ${from}`,
        async () => {
          const all = await healthy();
          return all.length === 2 && all.every(({ machine }) => machine !== from) && all;
        },
        seconds,
      );
    const gone = (name: string) =>
      until(
        `${name} is gone`,
        async () =>
          (await machines()).every((one) => one.name !== name) && !(await centre.machines()).includes(name),
        BOOT,
      );
    /** Requests to replicas that the service's list has as healthy, until it is told to stop. */
    const load = () => {
      const failures: string[] = [];
      let asked = 0;
      let going = true;
      const done = (async () => {
        while (going) {
          for (const { address, port } of await healthy()) {
            asked += 1;
            await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5_000) })
              .then(async (answer) => {
                if (!answer.ok) failures.push(`${answer.status}`);
                await answer.text();
              })
              .catch((error: unknown) => failures.push(`${address}:${port} ${String(error)}`));
          }
          await sleep(50);
        }
      })();
      return {
        async stop() {
          going = false;
          await done;
          return { asked, failures };
        },
      };
    };

    it('one that is not as its pool wants it is replaced, without a failed request', async () => {
      const [first] = await ready(1);
      const requests = load();
      await deploy({ sizes: ['Standard_D2s_v5'], spot: 'prefer', minimum: 2, maximum: 3 });
      await moved(first?.name ?? '', BOOT);
      await gone(first?.name ?? '');
      const { asked, failures } = await requests.stop();
      expect(failures).toEqual([]);
      expect(asked).toBeGreaterThan(0);
      const all = await ready(2);
      expect(all.every(({ size, priority }) => size === 'Standard_D2s_v5' && priority === 'spot')).toBe(true);
    });

    it('one that Azure takes back is drained in the seconds given, without a failed request', async () => {
      await ready(2);
      const from = (await healthy())[0]?.machine ?? '';
      const requests = load();
      const began = Date.now();
      await centre.call(z.unknown(), 'POST', `/api/v1/machines/${from}/evict`);
      await moved(from, 60);
      expect(Date.now() - began).toBeLessThan(30_000);
      await gone(from);
      const { failures } = await requests.stop();
      expect(failures).toEqual([]);
    });

    it('one whose processes were killed, and one that is cut off, lose their services to others', async () => {
      await ready(2);
      for (const verb of ['kill', 'cut'] as const) {
        const from = (await healthy())[0]?.machine ?? '';
        const container = containerName(centre.running.dataCentre.id, from);
        if (verb === 'kill') await centre.docker.run(['kill', '--signal', 'KILL', container]);
        else await centre.shell(from, 'ip link set eth0 down');
        await moved(from, 300);
        await gone(from);
        await ready(2);
      }
    });
  },
);
