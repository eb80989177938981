import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
      const failures: { at: number; why: string }[] = [];
      const fail = (why: string) => void failures.push({ at: Date.now(), why });
      let asked = 0;
      let going = true;
      const done = (async () => {
        while (going) {
          for (const { address, port } of await healthy()) {
            asked += 1;
            await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5_000) })
              .then(async (answer) => {
                if (!answer.ok) fail(`${answer.status}`);
                await answer.text();
              })
              .catch((error: unknown) => fail(`${address}:${port} ${String(error)}`));
          }
          await sleep(50);
        }
      })();
      const stop = async () => {
        going = false;
        await done;
        return { asked, failures };
      };
      done.catch(() => {});
      loads.push(stop);
      return { stop };
    };
    const loads: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      await Promise.allSettled(loads.splice(0).map((stop) => stop()));
    });

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
      await centre.call(z.unknown(), 'POST', `/api/v1/machines/${from}/evict`);
      const announced = await until('it is announced', async () => {
        const cordon = (await machines()).find(({ name }) => name === from)?.cordon;
        return cordon?.by === 'eviction' && cordon.until;
      });
      await moved(from, 200);
      const drained = Date.now();
      await gone(from);
      const { failures } = await requests.stop();
      // A computer that is too slow to move in 30 seconds may lose some between the time that was given and the move.
      const isExcused = ({ at }: { at: number }) => at > Date.parse(announced) && at < drained;
      expect(failures.filter((failure) => !isExcused(failure))).toEqual([]);
    });

    it('one that was killed and one that is cut off lose their services to a third, and are removed', async () => {
      await deploy({ sizes: ['Standard_D2s_v5'], spot: 'prefer', minimum: 3, maximum: 5 });
      const all = await ready(3);
      const carrying = new Set<string>((await healthy()).map(({ machine }) => machine));
      const [killed = '', cut = ''] = all
        .map(({ name }) => name)
        .sort((one, other) => Number(carrying.has(other)) - Number(carrying.has(one)));
      const container = containerName(centre.running.dataCentre.id, killed);
      await centre.docker.run(['kill', '--signal', 'KILL', container]);
      await centre.shell(cut, 'ip link set eth0 down');
      await Promise.all([moved(killed, 400), moved(cut, 400)]);
      await Promise.all([gone(killed), gone(cut)]);
      await ready(3);
      // What those on the killed machine wrote was sent before, and is read after it has gone.
      const logs = await centre.fetch('GET', '/api/v1/environments/dev/logs?application=hello');
      expect(await logs.text()).toMatch(new RegExp(`hello from .*"machine":"${killed}"`));
      const { orphans } = await centre.call(
        z.object({ orphans: z.array(z.unknown()) }),
        'GET',
        '/api/v1/orphans',
      );
      expect(orphans).toEqual([]);
    });
  },
);
