import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { engineApi } from '../../infra/local/machine-runtime/engine-api.ts';
import { containerName } from '../../infra/local/machine-runtime/machine-container.ts';
import { execute } from '../../infra/local/machine-runtime/machine-containers.ts';
import { mainJob } from '../../infra/local/supervisor/main-job.ts';
import { cacheOf } from '../../infra/local/supervisor/prepare.ts';
import { Machine } from '../../shared/model/machine.ts';
import { Replica, Revision } from '../../shared/model/service.ts';
import { checkout, type OwnDataCentre, withDataCentre } from '../own-data-centre.ts';
import type { Report } from '../report.ts';
import { type Row, rowOf } from '../row.ts';
import { settled } from '../settled.ts';
import { now } from '../webhook.ts';
import { followStarts } from './starts.ts';
import { type Member, makeSwarm } from './swarm.ts';

const MACHINES = 4;
const SIZES = [
  { name: 'event to running', replicas: 1, rounds: 10 },
  { name: '20 over 4 machines', replicas: 20, rounds: 5 },
] as const;
const APPLICATION = '/api/v1/environments/dev/applications/bench';
const service = (replicas: number) => ({
  ...{ image: 'hello/web:latest', command: ['sleep', '3600'], pool: 'four', replicas, stopGrace: 0 },
  resources: { cpu: 0.02, memory: 16 },
});

/**
 * From asking for a service until the last of its containers has started, with Berth and with Swarm on the same engines. With
 * Berth every container reaches the services of its environment by name; with Swarm those do that are put into a network of
 * its own: it is measured with and without.
 */
export const benchSwarm = (report: Report): Promise<readonly Row[]> =>
  withDataCentre(report, {}, async (own) => {
    const { running, steps, signal } = own;
    await mainJob(running, { checkout, cache: cacheOf(checkout), progress: steps, signal });
    const members = await steps.step(`${MACHINES} machines`, () => machines(own));
    const starts = await followStarts(members.map(({ engine }) => engine));
    own.finally(async () => starts.close());
    const swarm = await makeSwarm(members);
    const rows: Row[] = [];
    // Once unmeasured: every engine then has the image.
    await berth(own, 'warm', 20, starts.reached);
    const image = await pulledImage(own);
    await none(own);
    for (const { name, replicas, rounds } of SIZES) {
      const ours: number[] = [];
      const theirs: number[] = [];
      const named: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const id = `s${replicas}-${round}`;
        await settled();
        ours.push(await berth(own, id, replicas, starts.reached));
        await none(own);
        for (const [times, network] of [
          [theirs, undefined],
          [named, swarm.network],
        ] as const) {
          const other = `${id}${network ?? ''}`;
          await settled();
          const sent = await swarm.create(other, image, replicas, network);
          times.push((await starts.reached(other, replicas)) - sent);
          await swarm.remove(other);
        }
      }
      rows.push(rowOf(`${name}, beside Swarm`, 'ms', 'lower', ours, theirs));
      rows.push(rowOf(`${name}, beside Swarm with names`, 'ms', 'lower', ours, named));
    }
    return rows;
  });

/** Deploys a service under a name that was never used. @returns milliseconds until the last replica's container started */
async function berth(
  { call }: OwnDataCentre,
  name: string,
  replicas: number,
  reached: (service: string, count: number) => Promise<number>,
): Promise<number> {
  const sent = now();
  await call(z.unknown(), 'PUT', APPLICATION, { ...application(), services: { [name]: service(replicas) } });
  return (await reached(`dev.bench.${name}`, replicas)) - sent;
}

const application = () => ({
  name: 'bench',
  services: {},
  pools: { four: { minimum: MACHINES, maximum: MACHINES } },
});

/** Takes every service away, and waits until no replica is left. */
async function none({ call }: OwnDataCentre): Promise<void> {
  await call(z.unknown(), 'PUT', APPLICATION, application());
  const Replicas = z.object({ replicas: z.array(Replica) });
  const list = '/api/v1/environments/dev/replicas?application=bench';
  while ((await call(Replicas, 'GET', list)).replicas.length > 0) await sleep(100);
}

/** What Berth had the engines pull: Swarm finds it there by the same name. */
async function pulledImage({ call, running }: OwnDataCentre): Promise<string> {
  const path = '/api/v1/environments/dev/services/bench/warm/revisions';
  const { revisions } = await call(z.object({ revisions: z.array(Revision) }), 'GET', path);
  const { gateway, ports } = running.dataCentre;
  return `${gateway}:${ports.app}/hello/web@${revisions[0]?.digest}`;
}

/** The pool's machines, ready, with engines that can be in a swarm. */
async function machines({ call, running }: OwnDataCentre): Promise<readonly Member[]> {
  await call(z.unknown(), 'PUT', APPLICATION, application());
  const Machines = z.object({ machines: z.array(Machine) });
  for (;;) {
    const found = (await call(Machines, 'GET', '/api/v1/machines')).machines.filter(
      ({ pool, status }) => pool === 'four' && status.state === 'ready',
    );
    if (found.length === MACHINES)
      return await Promise.all(found.map(({ name, address = '' }) => member(running, name, address)));
    await sleep(500);
  }
}

async function member(
  { engine, dataCentre }: OwnDataCentre['running'],
  name: string,
  address: string,
): Promise<Member> {
  const container = containerName(dataCentre.id, name);
  // An engine that keeps containers over its restarts cannot be in a swarm; both sides then run without that.
  const off = `sed -i 's/"live-restore": true/"live-restore": false/' /etc/docker/daemon.json`;
  await execute(engine.api, container, ['/bin/sh', '-c', `${off} && systemctl reload docker`]);
  const { State } = await engine.api.json(
    z.object({ State: z.object({ Pid: z.number().int().positive() }) }),
    'GET',
    `/containers/${container}/json`,
  );
  const api = engineApi(`/proc/${State.Pid}/root/run/docker.sock`);
  // A reload ends before the engine has read its configuration.
  while ((await api.json(z.object({ LiveRestoreEnabled: z.boolean() }), 'GET', '/info')).LiveRestoreEnabled)
    await sleep(100);
  return { engine: api, address };
}
