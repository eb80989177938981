import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Machine } from '../../shared/model/machine.ts';
import { type OwnDataCentre, withDataCentre } from '../own-data-centre.ts';
import type { Report } from '../report.ts';
import { median, type Row, rowOf, tableOf } from '../row.ts';
import { readCounts, type StorageCounts, since, total } from './storage/counts.ts';
import { sweeper } from './sweeper.ts';

/** What it takes to have so many machines. */
export interface Growth {
  readonly machines: number;
  /** Milliseconds from the first record to the last report, for each machine that came. */
  readonly madeMs: number;
  /** Storage operations for each machine that came; idle ones left out. */
  readonly madeOperations: number;
  /** Storage operations of a machine that only reports, in an hour. */
  readonly idleOperations: number;
  /** Milliseconds and storage operations of one sweep. */
  readonly sweepMs: number;
  readonly sweepOperations: number;
}

export interface Cost {
  readonly growth: readonly Growth[];
  /** Storage operations for each machine that went. */
  readonly removedOperations: number;
  /** Storage operations of the app in an hour in which nothing happens and there is no machine. */
  readonly appOperations: number;
}

/** Seconds over which idle operations are counted: every timer of the app fires as often in each. */
const WINDOW = 60;
const SWEEPS = 5;
const PATIENCE = 1_800_000;
const program = (name: string): string => fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));

/** The real app with machines that are only their agents, more and more of them. */
export const benchGrowth = (
  report: Report,
  steps: readonly number[],
): Promise<{ readonly cost: Cost; readonly rows: readonly Row[] }> => {
  const programs = { storage: program('storage'), cloud: program('cloud') };
  return withDataCentre(report, { programs, folder: 'bench-growth' }, async (own) => {
    const { directory } = own.running.dataCentre;
    const counts = (): Promise<StorageCounts> => readCounts(directory);
    const sweep = await sweeper(own.running);
    await pool(own, 0);
    const quiet = await rate(counts);
    report(`no machine: ${Math.round(quiet * 3600)} storage operations in an hour`);
    const growth: Growth[] = [];
    let before = { machines: 0, rate: quiet };
    for (const machines of steps) {
      const one = await grow(own, counts, machines, before);
      const idle = await rate(counts);
      const swept = await timed(counts, sweep, idle);
      before = { machines, rate: idle };
      const grown = { ...one, idleOperations: ((idle - quiet) * 3600) / machines, ...swept };
      report(describe(grown));
      growth.push(grown);
    }
    const removedOperations = await shrink(own, counts, before);
    const cost = { growth, removedOperations, appOperations: quiet * 3600 };
    report(`\n${table(cost)}`);
    return { cost, rows: rows(growth) };
  });
};

const pool = (own: OwnDataCentre, minimum: number): Promise<unknown> =>
  own.call(z.unknown(), 'PUT', '/api/v1/environments/dev/applications/bench', {
    name: 'bench',
    pools: { many: { sizes: ['Standard_B2s'], minimum, maximum: 1000, idle: minimum === 0 ? 0 : 86_400 } },
  });

type Known = { readonly machines: number; readonly rate: number };

async function grow(
  own: OwnDataCentre,
  counts: () => Promise<StorageCounts>,
  machines: number,
  before: Known,
): Promise<Pick<Growth, 'machines' | 'madeMs' | 'madeOperations'>> {
  const [from, began] = [await counts(), Date.now()];
  await pool(own, machines);
  const found = await eventually(own, `${machines} machines are ready`, (all) => {
    const failed = all.find(({ status }) => status.state === 'failed');
    if (failed !== undefined) throw new Error(`${failed.name}: ${JSON.stringify(failed.status)}`);
    return all.filter(({ status }) => status.state === 'ready').length === machines;
  });
  const spent = total(since(from, await counts())) - (before.rate * (Date.now() - began)) / 1000;
  const fresh = found.filter(({ createdAt }) => Date.parse(createdAt ?? '') >= began);
  const first = Math.min(...fresh.map(({ createdAt }) => Date.parse(createdAt ?? '')));
  const last = Math.max(
    ...fresh.map(({ status }) => (status.state === 'ready' ? Date.parse(status.since) : 0)),
  );
  return {
    machines,
    madeMs: (last - first) / fresh.length,
    madeOperations: spent / fresh.length,
  };
}

/** @returns storage operations for each machine that went */
async function shrink(
  own: OwnDataCentre,
  counts: () => Promise<StorageCounts>,
  before: Known,
): Promise<number> {
  const [from, began] = [await counts(), Date.now()];
  await pool(own, 0);
  await eventually(own, 'no machine is left', (all) => all.length === 0);
  const idle = (before.rate * (Date.now() - began)) / 2000;
  return (total(since(from, await counts())) - idle) / before.machines;
}

/** Storage operations in a second of nothing but reports and timers. */
async function rate(counts: () => Promise<StorageCounts>): Promise<number> {
  // What just came has its first reports behind it.
  await sleep(11_000);
  const [from, began] = [await counts(), performance.now()];
  await sleep(WINDOW * 1000);
  return total(since(from, await counts())) / ((performance.now() - began) / 1000);
}

async function timed(
  counts: () => Promise<StorageCounts>,
  sweep: () => Promise<void>,
  idle: number,
): Promise<Pick<Growth, 'sweepMs' | 'sweepOperations'>> {
  await sweep();
  const times: number[] = [];
  const operations: number[] = [];
  for (let round = 0; round < SWEEPS; round += 1) {
    const [from, began] = [await counts(), performance.now()];
    await sweep();
    const took = performance.now() - began;
    times.push(took);
    operations.push(total(since(from, await counts())) - (idle * took) / 1000);
  }
  return { sweepMs: median(times), sweepOperations: Math.max(0, median(operations)) };
}

async function eventually(
  own: OwnDataCentre,
  what: string,
  isSo: (machines: readonly Machine[]) => boolean,
): Promise<readonly Machine[]> {
  const give = Date.now() + PATIENCE;
  for (;;) {
    const { machines } = await own.call(z.object({ machines: z.array(Machine) }), 'GET', '/api/v1/machines');
    if (isSo(machines)) return machines;
    if (Date.now() > give) throw new Error(`waited ${PATIENCE / 1000} s in vain until ${what}`);
    await sleep(1_000);
  }
}

const describe = ({ machines, madeMs, madeOperations, idleOperations, sweepMs }: Growth): string =>
  `${machines} machines: ${Math.round(madeMs)} ms and ${Math.round(madeOperations)} storage operations each; ` +
  `${Math.round(idleOperations)} an hour while idle; a sweep takes ${Math.round(sweepMs)} ms`;

const table = ({ growth, removedOperations, appOperations }: Cost): string =>
  [
    tableOf(
      ['machines', 'ms each', 'operations each', 'idle, an hour each', 'sweep ms', 'sweep operations'],
      growth.map((one) =>
        [
          one.machines,
          one.madeMs,
          one.madeOperations,
          one.idleOperations,
          one.sweepMs,
          one.sweepOperations,
        ].map((value) => String(Math.round(value))),
      ),
    ),
    `removed: ${Math.round(removedOperations)} storage operations each; the app without machines: ${Math.round(appOperations)} an hour`,
  ].join('\n');

/** The largest number against the one before: a ratio of one machine's share is at most 1 where growth is linear. */
function rows(growth: readonly Growth[]): readonly Row[] {
  const [before, largest] = growth.slice(-2);
  if (before === undefined || largest === undefined) return [];
  const row = (name: string, unit: string, value: (one: Growth) => number): Row =>
    rowOf(
      `${name}, ${largest.machines} to ${before.machines} machines`,
      unit,
      'lower',
      [value(largest)],
      [value(before)],
    );
  return [
    row('made', 'ms each', ({ madeMs }) => madeMs),
    row('storage for making', 'operations each', ({ madeOperations }) => madeOperations),
    row('storage while idle', 'operations an hour each', ({ idleOperations }) => idleOperations),
    row('sweep', 'ms a machine', ({ sweepMs, machines }) => sweepMs / machines),
  ];
}
