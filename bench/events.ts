import { z } from 'zod';
import { Run } from '../shared/model/job.ts';
import { containerNetwork } from '../shared/workloads/container-network.ts';
import { runContainer, runContainerName } from '../shared/workloads/run-container.ts';
import { type Hops, hopReader, hopTable } from './hops.ts';
import { benchPush, foreign, page } from './push.ts';
import type { Report } from './report.ts';
import { type Row, rowOf } from './row.ts';
import { settled } from './settled.ts';
import { type WarmMachine, withWarmMachine } from './warm-machine.ts';
import { type Delivery, now, runningHook } from './webhook.ts';

const ROUNDS = 20;
const TEN = 10;
const ROUNDS_OF_TEN = 5;
const HOOK = 'bench';
const RUNS = '/api/v1/environments/dev/jobs/bench/nap/runs';
/** Runs end by themselves, so late that all ten of a round are there at once. */
const APPLICATION = {
  name: 'bench',
  services: { page },
  jobs: {
    nap: { image: 'hello/web:latest', command: ['sleep', '3'], resources: { cpu: 0.02, memory: 16 } },
  },
};

/** From a signed delivery to the running container, against creating and starting the same container. */
export const benchEvents = (report: Report): Promise<readonly Row[]> =>
  withWarmMachine(report, (machine) => measure(machine, report));

async function measure(machine: WarmMachine, report: Report): Promise<readonly Row[]> {
  await machine.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/bench', APPLICATION);
  const deliver = await runningHook(machine, HOOK, { application: 'bench', job: 'nap' });
  const hopsOf = hopReader(machine, HOOK, 'default');
  const started = (delivery: Delivery) =>
    machine.events.started(runContainerName({ id: `ev-${delivery.hash}`, attempt: 1 }));

  const warm = await deliver();
  await started(warm);
  await allEnded(machine, 1);
  const { runs } = await machine.call(z.object({ runs: z.array(Run) }), 'GET', RUNS);
  const direct = directStart(machine, runs[0]!);
  await direct();

  const one: { ours: number[]; reference: number[] } = { ours: [], reference: [] };
  const hops: Hops[] = [];
  let count = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    await settled();
    const delivery = await deliver();
    const seen = await started(delivery);
    one.ours.push(seen.running - delivery.sent);
    hops.push(await hopsOf(delivery, seen));
    count += 1;
    await allEnded(machine, count);
    await settled();
    one.reference.push(await direct());
  }
  report(`\n${hopTable(hops)}`);

  const ten: { ours: number[]; reference: number[] } = { ours: [], reference: [] };
  for (let round = 0; round < ROUNDS_OF_TEN; round += 1) {
    await settled();
    const deliveries = await Promise.all(Array.from({ length: TEN }, deliver));
    const sent = Math.min(...deliveries.map((delivery) => delivery.sent));
    const seen = await Promise.all(deliveries.map(started));
    ten.ours.push(Math.max(...seen.map(({ running }) => running)) - sent);
    count += TEN;
    await allEnded(machine, count);
    await settled();
    ten.reference.push(await direct(TEN));
  }
  return [
    rowOf('event to running', 'ms', 'lower', one.ours, one.reference),
    await benchPush(machine),
    rowOf('ten at once', 'ms', 'lower', ten.ours, ten.reference),
  ];
}

/** Creates and starts containers as a run's is, through the engine's API and nothing else. @returns milliseconds until all run */
function directStart({ engine, events, running, machine }: WarmMachine, run: Run) {
  const { gateway, ports } = running.dataCentre;
  const network = containerNetwork(run.key, machine);
  let made = 0;
  return async (count = 1): Promise<number> => {
    const names = Array.from({ length: count }, () => {
      made += 1;
      return `bench-direct-${made}`;
    });
    const began = now();
    const ids = await Promise.all(
      names.map(async (name) => {
        const { labels, ...request } = runContainer(
          run,
          run.digest ?? '',
          `${gateway}:${ports.app}`,
          network,
        );
        const { id } = await engine.create({ ...request, name, labels: foreign(labels) });
        await engine.start(id);
        return id;
      }),
    );
    const seen = await Promise.all(names.map((name) => events.started(name)));
    const end = Math.max(...seen.map((one) => one.running));
    await Promise.all(ids.map((id) => engine.wait(id)));
    await Promise.all(ids.map((id) => engine.remove(id)));
    return end - began;
  };
}

/** Waits until so many runs have succeeded, so that one round does not disturb the next. */
async function allEnded({ call }: WarmMachine, count: number): Promise<void> {
  for (;;) {
    const { runs } = await call(z.object({ runs: z.array(Run) }), 'GET', `${RUNS}?limit=1000`);
    const failed = runs.find(({ status }) => status.state === 'failed');
    if (failed !== undefined) throw new Error(`run ${failed.id} failed: ${JSON.stringify(failed.status)}`);
    if (runs.filter(({ status }) => status.state === 'succeeded').length === count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
