import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Machine } from '../../shared/model/machine.ts';
import { type OwnDataCentre, withDataCentre } from '../own-data-centre.ts';
import type { Report } from '../report.ts';
import { type Row, rowOf } from '../row.ts';
import { settled } from '../settled.ts';
import { byHand } from './by-hand.ts';
import { pushImage } from './push-image.ts';

const TEN = 10;
/** Longest that a machine or an image may take, milliseconds. */
const PATIENCE = 600_000;
const MACHINES = z.object({ machines: z.array(Machine) });
const RUN_STATES = z.object({ runs: z.array(z.object({ status: z.object({ state: z.string() }) })) });
/** One run fills a machine of this size, so that every run wants its own. */
const SIZE = 'Standard_B2s';
const job = (pool: string) => ({
  ...{ image: 'bench/nothing:latest', pool, resources: { cpu: 2, memory: 1024 } },
});
const pool = (golden: boolean) => ({ sizes: [SIZE], golden, maximum: 20, idle: 86_400 });
const APPLICATION = {
  name: 'bench',
  jobs: { marketplace: job('marketplace'), golden: job('golden') },
  pools: { marketplace: pool(false), golden: pool(true) },
};
const RUNS = '/api/v1/environments/dev/jobs/bench';

/** From asking for a run that needs a new machine until the app knows it ready, against starting the same by hand. */
export const benchReady = (report: Report, rounds: number): Promise<readonly Row[]> =>
  withDataCentre(report, {}, async (own) => {
    await pushImage(own.running, 'bench/nothing');
    await own.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/bench', APPLICATION);
    const hand = await byHand(own.running);
    own.finally(hand.close);
    await own.steps.step('capture the golden image', () => goldenImage(own));
    await hand.takeGolden();
    return await measure(own, hand, report, rounds);
  });

type Image = 'golden' | 'marketplace';

async function measure(
  own: OwnDataCentre,
  hand: Awaited<ReturnType<typeof byHand>>,
  report: Report,
  rounds: number,
): Promise<readonly Row[]> {
  const interleaved = async (name: string, image: Image, times: number, count: number): Promise<Row> => {
    const ours: number[] = [];
    const reference: number[] = [];
    for (let round = 0; round < times; round += 1) {
      await settled();
      ours.push(await ready(own, image, count));
      await settled();
      reference.push(await hand.start(image, count));
      report(`${name}: ${Math.round(ours.at(-1) ?? 0)} ms, by hand ${Math.round(reference.at(-1) ?? 0)} ms`);
    }
    return rowOf(name, 'ms', 'lower', ours, reference);
  };
  // What the first of each loads is not measured.
  await ready(own, 'golden', 1);
  await hand.start('golden');
  return [
    await interleaved('golden image to ready', 'golden', rounds, 1),
    await interleaved('cloud-init to ready', 'marketplace', Math.ceil(rounds / 3), 1),
    await interleaved('ten golden images at once', 'golden', Math.ceil(rounds / 5), TEN),
  ];
}

/** Asks for runs that need so many new machines, and removes these. @returns milliseconds until the last was ready */
async function ready(own: OwnDataCentre, image: Image, count: number): Promise<number> {
  const sent = Date.now();
  await Promise.all(
    Array.from({ length: count }, () => own.call(z.unknown(), 'POST', `${RUNS}/${image}/runs`, {})),
  );
  const since = await eventually('machines are ready', async () => {
    const { machines } = await own.call(MACHINES, 'GET', '/api/v1/machines');
    const failed = machines.find(({ pool: name, status }) => name === image && status.state === 'failed');
    if (failed !== undefined) throw new Error(`${failed.name}: ${JSON.stringify(failed.status)}`);
    const times = machines.flatMap(({ pool: name, status }) =>
      name === image && status.state === 'ready' ? [Date.parse(status.since)] : [],
    );
    return times.length >= count ? Math.max(...times) : undefined;
  });
  await ended(own, image);
  await removeAll(own);
  return since - sent;
}

/** A run whose machine goes before it has ended would want another. */
const ended = (own: OwnDataCentre, image: Image): Promise<unknown> =>
  eventually('runs have ended', async () => {
    const { runs } = await own.call(RUN_STATES, 'GET', `${RUNS}/${image}/runs?limit=1000`);
    return runs.every(({ status }) => status.state === 'failed' || status.state === 'succeeded') || undefined;
  });

/** Removes all machines of the pools, so that the next run needs a new one. */
async function removeAll(own: OwnDataCentre): Promise<void> {
  const asked = new Set<string>();
  await eventually('machines are gone', async () => {
    const { machines } = await own.call(MACHINES, 'GET', '/api/v1/machines');
    for (const { name, status } of machines) {
      if (asked.has(name) || status.state === 'retiring') continue;
      asked.add(name);
      await own.call(z.unknown(), 'DELETE', `/api/v1/machines/${name}?force=true`);
    }
    return machines.length === 0 || undefined;
  });
}

const goldenImage = (own: OwnDataCentre): Promise<unknown> =>
  eventually('the golden image is there', async () => {
    const { images } = await own.call(
      z.object({ images: z.array(z.object({ status: z.object({ state: z.string() }) })) }),
      'GET',
      '/api/v1/machine-images',
    );
    const failed = images.find(({ status }) => status.state === 'failed');
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
    const { machines } = await own.call(MACHINES, 'GET', '/api/v1/machines');
    return (machines.length === 0 && images.some(({ status }) => status.state === 'ready')) || undefined;
  });

async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const give = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > give) throw new Error(`waited ${PATIENCE / 1000} s in vain until ${what}`);
    await sleep(200);
  }
}
