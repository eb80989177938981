import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PoolDetails } from '../../shared/api/routes/pools.ts';
import { Run } from '../../shared/model/job.ts';
import { Machine } from '../../shared/model/machine.ts';
import { until } from '../support/conditions.ts';
import { startTestDataCentre, type TestDataCentre } from '../support/data-centre.ts';
import { noMachines } from '../support/machines.ts';
import { long } from '../support/sample.ts';

const obstacle = long ? await noMachines() : 'in the long tests';
const RUNS = '/api/v1/environments/dev/jobs/hello/burst/runs';
const Machines = z.object({ machines: z.array(Machine) });
const Runs = z.object({ runs: z.array(Run) });
/** Seconds that machines may take to come up, several at once. */
const BOOT = 700;

describe.skipIf(obstacle !== undefined)(`a pool${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
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

  const ofPool = async () =>
    (await centre.call(Machines, 'GET', '/api/v1/machines')).machines.filter(({ pool }) => pool === 'burst');
  const runs = async () => (await centre.call(Runs, 'GET', RUNS)).runs;

  it('goes from zero to three machines under a burst of jobs, each in its zone, and back to zero', async () => {
    const web = { image: 'hello/web:latest', replicas: 2, port: 8080, health: { path: '/' } };
    await centre.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/hello', {
      name: 'hello',
      pools: {
        burst: {
          sizes: ['Standard_D2s_v5', 'Standard_E2s_v5'],
          zones: [1, 2, 3],
          maximum: 3,
          hourlyLimit: 0.5,
          idle: 0,
          registerWithin: 1200,
          launchWithin: 1200,
        },
      },
      services: { web },
      jobs: {
        burst: {
          image: 'hello/web:latest',
          command: ['sh', '-c', 'sleep 20; echo done'],
          pool: 'burst',
          resources: { cpu: 1.5, memory: 64 },
          timeout: 600,
        },
      },
    });
    let most = 0;
    let over = false;
    const watch = (async () => {
      while (!over) {
        most = Math.max(most, (await ofPool()).length);
        await sleep(500);
      }
    })();
    for (let count = 0; count < 6; count += 1) await centre.call(z.unknown(), 'POST', RUNS, {});
    const ended = await until(
      'all runs have ended',
      async () => {
        const found = await runs();
        const done = found.filter(({ status }) => ['succeeded', 'failed'].includes(status.state));
        return done.length === 6 && done;
      },
      BOOT,
    );
    expect(ended.map(({ status }) => status.state)).toEqual(Array(6).fill('succeeded'));
    const made = new Set(ended.map(({ machine }) => machine));
    expect(made.size).toBe(3);
    const zones = (await ofPool()).map(({ zone }) => zone).sort();
    expect(new Set(zones).size).toBe(zones.length);
    await until('the machines are gone', async () => (await ofPool()).length === 0, 600);
    over = true;
    await watch;
    expect(most).toBe(3);
    const pool = await centre.call(PoolDetails, 'GET', '/api/v1/pools/burst');
    expect(pool).toMatchObject({ machines: { total: 0 }, hourly: 0 });
    expect(pool.breaker).toBeUndefined();
  });
});
