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
import { programsHere } from './programs.ts';
import { registryContestant } from './registry-client.ts';
import { type Measure, manifests, transfer } from './rounds.ts';

const USAGE = `npm run bench:registry                     every size, against the blob store and beside distribution
npm run bench:registry -- --sizes 1,100     some sizes, in MB; 0 for manifests alone
npm run bench:registry -- --alone           without distribution
npm run bench:registry -- --json            with the rows as JSON in the last line`;

/** Rounds of a size, one at a time and eight at once. */
const ROUNDS: Readonly<Record<number, readonly [number, number]>> = {
  1: [20, 8],
  10: [10, 5],
  100: [5, 3],
  500: [3, 1],
};
/** Memory that the registry is to stay under, bytes. */
const MEMORY = 150 * MB;
const OURS = 'Berth';

async function start(storage: TestStorage, folder: string, alone: boolean): Promise<Contestant[]> {
  const registry = await startLoneRegistry(storage, {}, 'bundle');
  const origin = `http://${registry.host}`;
  const authorization = async (): Promise<string> => {
    const answer = await fetch(`${origin}/v2/token?scope=repository:bench/image:pull,push`, {
      headers: { authorization: `Basic ${btoa(`x:${registry.adminKey}`)}` },
    });
    return `Bearer ${((await answer.json()) as { token: string }).token}`;
  };
  const ours = registryContestant({
    name: OURS,
    origin,
    pid: registry.pid,
    authorization,
    stop: registry.stop,
  });
  const contestants = [ours, await blobStore(storage)];
  if (alone) return contestants;
  const container = 'distribution';
  await makeContainer(storage, container);
  const { blobUri } = storage;
  const account = {
    name: new URL(blobUri).pathname.slice(1),
    key: await storage.accountKey(),
    blobUri,
    container,
  };
  for (const program of await programsHere(folder, console.log)) {
    if (program.azure !== undefined)
      contestants.push(await startDistribution(program, 'azure', program.azure(account), folder, storage));
    const files = { rootdirectory: join(folder, `files-${contestants.length}`) };
    contestants.push(await startDistribution(program, 'filesystem', files, folder, storage));
  }
  return contestants;
}

/** Ours against the blob store, then against each other registry. */
function rowsOf({ name, unit, rates, peaks }: Measure, others: readonly Contestant[]): Row[] {
  const ours = rates.get(OURS) ?? [];
  const peak = peaks.get(OURS) ?? 0;
  return [
    ...others.map((other) =>
      rowOf(
        other.pid === undefined ? name : `${name} / ${other.name}`,
        unit,
        'higher',
        ours,
        rates.get(other.name) ?? [],
      ),
    ),
    rowOf(`${name}, memory`, 'MB', 'lower', [peak / MB], [MEMORY / MB]),
  ];
}

function sideBySide(measures: readonly Measure[], contestants: readonly Contestant[]): string {
  const lines = measures.map(({ name, unit, rates, peaks }) => [
    `${name}, ${unit}`,
    ...contestants.map(({ name: who }) => {
      const peak = peaks.get(who);
      const rate = median(rates.get(who) ?? []);
      return `${rate.toFixed(rate < 10 ? 1 : 0)}${peak === undefined ? '' : ` (${(peak / MB).toFixed(0)} MB)`}`;
    }),
  ]);
  return tableOf(['', ...contestants.map(({ name }) => name)], lines);
}

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
  const storage = await startTestStorage();
  let contestants: Contestant[] = [];
  try {
    contestants = await start(storage, folder, values.alone);
    const measures: Measure[] = [];
    const keep = (more: readonly Measure[]): void => {
      measures.push(...more);
      console.log(`\n${sideBySide(more, contestants)}\nload ${loadavg()[0]?.toFixed(1)}`);
    };
    for (const size of sizes)
      if (size === 0) keep(await manifests(contestants, 5));
      else
        for (const [index, width] of [1, 8].entries())
          keep(
            await transfer(contestants, size * MB, width, ROUNDS[size]?.[index] ?? 1, `${size} MB x${width}`),
          );
    const others = contestants.filter(({ name }) => name !== OURS);
    const rows = measures.flatMap((measure) => rowsOf(measure, others));
    console.log(
      `\nMedians, and in brackets the highest memory of the process:\n\n${sideBySide(measures, contestants)}`,
    );
    console.log(`\n${rowTable(rows)}`);
    if (values.json) console.log(JSON.stringify({ rows }));
    return 0;
  } finally {
    for (const contestant of contestants) await contestant.stop();
    await storage.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
// What a library may have left open must not keep a finished program.
process.exit();
