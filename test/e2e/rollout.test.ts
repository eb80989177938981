import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { containerName } from '../../infra/local/machine-runtime/machine-container.ts';
import { Machine } from '../../shared/model/machine.ts';
import { Replica, RolloutStatus } from '../../shared/model/service.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';

/** The short one of them, a rolling update, is in main-job.test.ts, whose data centre is there anyway. */
const obstacle = long ? await noMachines() : 'in the long tests';
const Machines = z.object({ machines: z.array(Machine) });
const Service = z.object({
  service: z.object({
    revision: z.number(),
    healthyRevision: z.number().optional(),
    rollout: RolloutStatus,
    progress: z.object({ waits: z.string() }).optional(),
  }),
  replicas: z.array(Replica),
});
const PATH = '/api/v1/environments/dev/services/hello/web';

describe.skipIf(obstacle !== undefined)(
  `rollouts on real machines${obstacle === undefined ? '' : ` (${obstacle})`}`,
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

    const service = () => centre.call(Service, 'GET', PATH);
    const serving = async () => {
      const { replicas } = await service();
      return replicas.filter(({ status }) => status.state === 'healthy');
    };
    /** Another environment makes another revision of the same image. */
    const deploy = (version: string, rollout: object, spec: object = {}, pools: object = {}) =>
      centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', {
        name: 'hello',
        pools,
        services: {
          web: {
            image: 'hello/web:latest',
            replicas: 2,
            port: 8080,
            health: { path: '/', deadline: 20 },
            resources: { cpu: 0.1, memory: 32 },
            environment: { VERSION: version },
            rollout,
            ...spec,
          },
        },
      });
    const ended = (revision: number, state: string, seconds = 120) =>
      until(
        `revision ${revision} is ${state}`,
        async () => {
          const found = await service();
          return found.service.revision === revision && found.service.rollout.state === state && found;
        },
        seconds,
      );
    const steer = (verb: string) => centre.call(z.unknown(), 'POST', `${PATH}/rollout/${verb}`);

    /** Requests to replicas that the service's list has as healthy, until it is told to stop. */
    const load = () => {
      const failures: { at: number; why: string }[] = [];
      const revisions = new Set<string>();
      let asked = 0;
      let going = true;
      const done = (async () => {
        while (going) {
          const replicas = await serving();
          revisions.add([...new Set(replicas.map(({ revision }) => revision))].sort().join('+'));
          for (const { address, port } of replicas) {
            asked += 1;
            await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5_000) })
              .then(async (answer) => {
                if (!answer.ok) failures.push({ at: Date.now(), why: `${answer.status}` });
                await answer.text();
              })
              .catch((error: unknown) =>
                failures.push({ at: Date.now(), why: `${address}:${port} ${String(error)}` }),
              );
          }
          await sleep(50);
        }
      })();
      const stop = async () => {
        going = false;
        await done;
        return { asked, failures, revisions: [...revisions] };
      };
      done.catch(() => {});
      loads.push(stop);
      return { stop };
    };
    const loads: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      await Promise.allSettled(loads.splice(0).map((stop) => stop()));
    });

    it('a rolling update of one replica at a time loses no request', async () => {
      const before = (await service()).service.revision;
      const requests = load();
      await deploy('rolling', { surge: 1 });
      await ended(before + 1, 'done');
      const { asked, failures } = await requests.stop();
      expect(failures).toEqual([]);
      expect(asked).toBeGreaterThan(10);
      const { replicas } = await service();
      expect(replicas.map(({ status }) => status.state)).toEqual(['healthy', 'healthy']);
    });

    it('a blue-green switch is one, and loses no request', async () => {
      const before = (await service()).service.revision;
      const requests = load();
      await deploy('blue-green', { strategy: 'blue-green', bake: 15 });
      const { service: done } = await ended(before + 1, 'done');
      const { failures, revisions } = await requests.stop();
      expect(failures).toEqual([]);
      expect(done.healthyRevision).toBe(before + 1);
      // At no moment did replicas of both get requests.
      expect(revisions.filter((seen) => seen.includes('+'))).toEqual([]);
      expect(revisions).toHaveLength(2);
    });

    it('a canary waits to be resumed; one that fails goes back without a lost request', async () => {
      const before = (await service()).service.revision;
      const requests = load();
      const policy = { strategy: 'canary', steps: [{ percent: 50, pause: 'until-resumed' }] };
      await deploy('canary', policy);
      const { service: paused, replicas } = await ended(before + 1, 'paused');
      expect(paused.progress?.waits).toContain('step 1 of 1: 1 of 2 replicas are new and healthy');
      expect(replicas.filter(({ status }) => status.state === 'healthy')).toHaveLength(2);
      await steer('resume');
      await ended(before + 1, 'done');
      await deploy('bad canary', policy, { health: { path: '/missing', deadline: 5 } });
      const { service: failed } = await ended(before + 2, 'failed');
      expect(failed).toMatchObject({
        healthyRevision: before + 1,
        rollout: { code: 'health-check-failed' },
      });
      await until('what served is whole', async () => (await serving()).length === 2);
      expect((await requests.stop()).failures).toEqual([]);
    });

    it('a replica that stops answering is taken out and made anew', async () => {
      const before = (await service()).service.revision;
      await deploy(
        'liveness',
        {},
        { health: { path: '/', liveness: { path: '/', interval: 1, failures: 2 } } },
      );
      const { replicas } = await ended(before + 1, 'done');
      const victim = replicas[0];
      const pause = `docker pause ${victim?.containerId}`;
      await centre.shell(victim?.machine ?? '', pause);
      await until('it is another container', async () => {
        const now = await serving();
        const all = now.length === 2 && now.every(({ containerId }) => containerId !== victim?.containerId);
        return all && now;
      });
    });

    it('the step before runs first; one that fails changes nothing, and a command tells health', async () => {
      const before = (await service()).service.revision;
      const shell = (line: string) => ['/bin/sh', '-c', line];
      const health = { command: shell('wget -q -O /dev/null http://127.0.0.1:8080/'), deadline: 20 };
      await deploy('migrated', {}, { health, before: { command: shell('echo migrated'), timeout: 60 } });
      const { replicas } = await ended(before + 1, 'done');
      const containers = replicas.map(({ containerId }) => containerId);
      await deploy(
        'bad step',
        {},
        { health, before: { command: shell('echo no such table; exit 3'), timeout: 60 } },
      );
      const { service: failed } = await ended(before + 2, 'failed');
      expect(failed.rollout).toMatchObject({
        code: 'before-failed',
        exitCode: 3,
        lastLines: ['no such table'],
      });
      expect((await serving()).map(({ containerId }) => containerId)).toEqual(containers);
    });

    it('a machine that is killed loses only what was under way on it', async () => {
      const before = (await service()).service.revision;
      await deploy('two machines', {}, { replicas: 4 }, { default: { minimum: 2, maximum: 3 } });
      await until(
        'two machines are ready',
        async () => {
          const { machines } = await centre.call(Machines, 'GET', '/api/v1/machines');
          return machines.filter(({ status }) => status.state === 'ready').length >= 2;
        },
        500,
      );
      await ended(before + 1, 'done');
      const victim = (await serving())[0]?.machine ?? '';
      const requests = load();
      const killed = Date.now();
      await centre.docker.run([
        'kill',
        '--signal',
        'KILL',
        containerName(centre.running.dataCentre.id, victim),
      ]);
      const healthy = await until(
        'four replicas serve elsewhere',
        async () => {
          const now = await serving();
          return now.length === 4 && now.every(({ machine }) => machine !== victim) && now;
        },
        500,
      );
      const seen = Date.now();
      await sleep(5_000);
      const { failures } = await requests.stop();
      expect(new Set(healthy.map(({ slot }) => slot)).size).toBe(4);
      // Until the machine's silence is noticed its replicas are still listed; none fails after that.
      expect(failures.filter(({ at }) => at < killed || at > seen)).toEqual([]);
    });
  },
);
