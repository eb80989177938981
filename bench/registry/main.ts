import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLoneRegistry } from '../../test/support/lone-registry.ts';
import { startTestStorage, type TestStorage } from '../../test/support/storage.ts';
import { median, type Row, rowOf, rowTable, tableOf } from '../row.ts';
import { blobStore, makeContainer } from './blob-store.ts';
import { MB } from './content.ts';
import type { Contestant } from './contestant.ts';
import { startDistribution } from './distribution.ts';
import { programsHere, zotHere } from './programs.ts';
import { registryContestant } from './registry-client.ts';
import { type Measure, manifests, transfer } from './rounds.ts';
import { startZot } from './zot.ts';

const USAGE = `npm run bench:registry                     every size, against the blob store and beside distribution
npm run bench:registry -- --sizes 1,100     some sizes, in MB; 0 for manifests alone
npm run bench:registry -- --alone           without other registries
npm run bench:registry -- --json            with the rows as JSON in the last line`;

/** Rounds of a size, one at a time and eight at once. */
const ROUNDS: Readonly<Record<number, readonly [number, number]>> = {
  1: [20, 8],
  10: [10, 5],
  100: [5, 2],
  500: [2, 1],
};
/** Memory that the registry is to stay under, bytes. */
const MEMORY = 150 * MB;
const OURS = 'Berth';

/** Starts everybody, each told to `add` as soon as it runs: what was started is stopped, also if the next one fails. */
async function start(
  storage: TestStorage,
  folder: string,
  alone: boolean,
  add: (contestant: Contestant) => void,
): Promise<void> {
  const registry = await startLoneRegistry(storage, {}, 'bundle');
  const origin = `http://${registry.host}`;
  const authorization = async (): Promise<string> => {
    const answer = await fetch(`${origin}/v2/token?scope=repository:bench/image:pull,push`, {
      headers: { authorization: `Basic ${btoa(`x:${registry.adminKey}`)}` },
    });
    return `Bearer ${((await answer.json()) as { token: string }).token}`;
  };
  const { pid, stop } = registry;
  add(registryContestant({ name: OURS, origin, pid, authorization, stop }));
  for (const checksums of [false, true]) add(await blobStore(storage, checksums));
  if (alone) return;
  const container = 'distribution';
  await makeContainer(storage, container);
  const { blobUri } = storage;
  const account = {
    name: new URL(blobUri).pathname.slice(1),
    key: await storage.accountKey(),
    blobUri,
    container,
  };
  for (const [index, program] of (await programsHere(folder, console.log)).entries()) {
    const files = { rootdirectory: join(folder, `files-${index}`) };
    for (const [driver, settings] of [
      ['azure', program.azure?.(account)],
      ['filesystem', files],
    ] as const)
      if (settings !== undefined)
        await startDistribution(program, driver, settings, folder, storage).then(add, (error: Error) =>
          console.log(`${program.name}, ${driver}: left out, it did not start: ${error.message}`),
        );
  }
  const zot = await zotHere(console.log);
  if (zot !== undefined)
    await startZot(zot, folder).then(add, (error: Error) =>
      console.log(`${zot}: left out, it did not start: ${error.message}`),
    );
}

/** Ours against the blob store, then against each other registry. */
function rowsOf({ name, unit, rates, peaks }: Measure, others: readonly Contestant[]): Row[] {
  const ours = rates.get(OURS);
  const peak = peaks.get(OURS);
  if (ours === undefined || peak === undefined) return [];
  return [
    ...others.flatMap((other) => {
      const theirs = rates.get(other.name);
      const bare = other.pid === undefined && other.only === undefined;
      return theirs === undefined
        ? []
        : [rowOf(bare ? name : `${name} / ${other.name}`, unit, 'higher', ours, theirs)];
    }),
    rowOf(`${name}, memory`, 'MB', 'lower', [peak / MB], [MEMORY / MB]),
  ];
}

function sideBySide(measures: readonly Measure[], contestants: readonly Contestant[]): string {
  const lines = measures.map(({ name, unit, rates, peaks }) => [
    `${name}, ${unit}`,
    ...contestants.map(({ name: who }) => {
      const peak = peaks.get(who);
      const taken = rates.get(who);
      if (taken === undefined) return '–';
      const rate = median(taken);
      return `${rate.toFixed(rate < 10 ? 1 : 0)}${peak === undefined ? '' : ` (${(peak / MB).toFixed(0)} MB)`}`;
    }),
  ]);
  return tableOf(['', ...contestants.map(({ name }) => name)], lines);
}

async function measure(
  contestants: readonly Contestant[],
  sizes: readonly number[],
): Promise<readonly Measure[]> {
  const measures: Measure[] = [];
  const keep = (more: readonly Measure[]): void => {
    measures.push(...more);
    console.log(`\n${sideBySide(more, contestants)}\nload ${loadavg()[0]?.toFixed(1)}`);
    for (const { name, failures } of more)
      for (const [who, reason] of failures) console.log(`${name}: no row of ${who}, it failed: ${reason}`);
  };
  for (const size of sizes)
    if (size === 0) keep(await manifests(contestants, 5));
    else
      for (const [index, width] of [1, 8].entries())
        keep(
          await transfer(contestants, size * MB, width, ROUNDS[size]?.[index] ?? 1, `${size} MB x${width}`),
        );
  return measures;
}

/** @throws when the process is told to end, so that what was started is stopped */
async function interruption(): Promise<never> {
  const signal = await Promise.race(
    ['SIGINT', 'SIGTERM'].map((name) => once(process, name).then(() => name)),
  );
  throw new Error(`ended by ${signal}`);
}

/** @returns the exit code: not 0 if one of ours, or of the blob store's, failed */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
      sizes: { type: 'string', default: '0,1,10,100,500' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const sizes = values.sizes.split(',').map(Number);
  if (values.help || sizes.some((size) => size !== 0 && ROUNDS[size] === undefined)) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  const contestants: Contestant[] = [];
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const run = async (): Promise<number> => {
    const storage = await startTestStorage();
    undo.push(storage.stop);
    await start(storage, folder, values.alone, (contestant) => {
      contestants.push(contestant);
      undo.push(contestant.stop);
    });
    const measures = await measure(contestants, sizes);
    const others = contestants.filter(({ name }) => name !== OURS);
    const rows = measures.flatMap((one) => rowsOf(one, others));
    console.log(
      `\nMedians, and in brackets the highest memory of the process:\n\n${sideBySide(measures, contestants)}`,
    );
    console.log(`\n${rowTable(rows)}`);
    if (values.json) console.log(JSON.stringify({ rows }));
    const needed = contestants.filter(({ name, pid }) => name === OURS || pid === undefined);
    return measures.some(({ failures }) => needed.some(({ name }) => failures.has(name))) ? 1 : 0;
  };
  try {
    return await Promise.race([run(), interruption()]);
  } finally {
    for (const step of undo.splice(0).reverse()) await step().catch(console.error);
  }
}

process.exitCode = await main();
// What a library may have left open must not keep a finished program.
process.exit();
