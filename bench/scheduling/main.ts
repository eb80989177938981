import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Change, type Decision, decide, type Snapshot } from '../../shared/scheduling/decide.ts';
import { median, tableOf } from '../row.ts';
import { fleet, replicas, shuffled } from './fleet.ts';

const USAGE = `npm run bench:scheduling -- [--json] [--rounds 5]

Times the placement that reservations use (shared/scheduling/decide.ts): machines in three zones and sizes,
services of 100 replicas with constraints, zones, ports, anti-affinity and limits per machine.`;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Measured {
  readonly name: string;
  /** Milliseconds: the fastest, the median, and the slowest. */
  readonly fastest: number;
  readonly median: number;
  readonly slowest: number;
  /** Of the processor, median: also on a computer that does other work. */
  readonly processor: number;
  /** Aim in milliseconds. */
  readonly aim: number;
  /** MiB that the process holds more of when it is done, results included. */
  readonly memory: number;
}

/** All placed, and no machine over its room, or it is no measurement. */
function checked(snapshot: Snapshot, { results, changedRooms }: Decision): void {
  const refused = results.find(({ outcome }) => outcome === 'no-room');
  if (refused !== undefined) throw new Error(`not all were placed: ${JSON.stringify(refused)}`);
  for (const { machine, freeCpu, freeMemory, ports } of changedRooms)
    if (freeCpu < -1e-6 || freeMemory < 0 || new Set(ports).size !== ports.length)
      throw new Error(`${machine} was given more than it has`);
  if (snapshot.rooms.length > 0) throw new Error('the snapshot was changed');
}

function timed(
  name: string,
  aim: number,
  rounds: number,
  snapshot: Snapshot,
  changes: readonly Change[],
): Measured {
  const times: number[] = [];
  const worked: number[] = [];
  let memory = 0;
  for (let round = 0; round < rounds; round += 1) {
    collect();
    const before = process.memoryUsage();
    const start = process.cpuUsage();
    const began = performance.now();
    const decision = decide(snapshot, changes, undefined);
    times.push(performance.now() - began);
    worked.push(milliseconds(process.cpuUsage(start)));
    const after = process.memoryUsage();
    memory = Math.max(memory, after.heapUsed + after.external - before.heapUsed - before.external);
    checked(snapshot, decision);
  }
  return {
    name,
    aim,
    fastest: Math.min(...times),
    median: median(times),
    slowest: Math.max(...times),
    processor: median(worked),
    memory: memory / 2 ** 20,
  };
}

const milliseconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

/** One more on machines that carry ten each, and one that fits on none. */
function single(count: number, rounds: number): Measured[] {
  const empty = fleet(count);
  const { changedRooms } = decide(empty, replicas(count * 10), undefined);
  const snapshot = { ...empty, rooms: changedRooms };
  const one = replicas(count * 10 + 100).at(-1);
  if (one === undefined) return [];
  const tooLarge = { ...one, demand: { ...one.demand, cpu: 100 } };
  return ([one, tooLarge] as const).map((change, at) => {
    const times: number[] = [];
    const start = process.cpuUsage();
    for (let round = 0; round < rounds * 40; round += 1) {
      const began = performance.now();
      const { results } = decide(snapshot, [change], undefined);
      times.push(performance.now() - began);
      if (results[0]?.outcome !== (at === 0 ? 'reserved' : 'no-room'))
        throw new Error(JSON.stringify(results));
    }
    const name = `${at === 0 ? 'one' : 'one that fits nowhere'} on ${count.toLocaleString('en')}`;
    const processor = milliseconds(process.cpuUsage(start)) / times.length;
    const fastest = Math.min(...times);
    return {
      name,
      aim: 1,
      fastest,
      median: median(times),
      slowest: Math.max(...times),
      processor,
      memory: 0,
    };
  });
}

function main(): number {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const rounds = Number(values.rounds);
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const small = fleet(1_000);
  const large = fleet(10_000);
  const few = replicas(10_000);
  const many = replicas(100_000);
  const rows = [
    timed('place 10,000 on 1,000', 300, rounds, small, few),
    timed('place 10,000 on 1,000, in any order', 300, rounds, small, shuffled(few, 1)),
    timed('place 100,000 on 10,000', 5_000, rounds, large, many),
    ...single(1_000, rounds),
    ...single(10_000, rounds),
  ];
  const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  console.log(
    tableOf(
      ['', 'ms, fastest', 'median', 'slowest', 'of the processor', 'aim', 'memory, MiB'],
      rows.map((row) => [
        row.name,
        figure(row.fastest),
        figure(row.median),
        figure(row.slowest),
        figure(row.processor),
        `< ${row.aim}`,
        row.memory > 0 ? row.memory.toFixed(0) : '-',
      ]),
    ),
  );
  if (values.json) console.log(JSON.stringify({ rows }));
  return 0;
}

process.exitCode = main();
