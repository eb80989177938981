import type { Offering } from '../machines/offerings/offering.ts';
import type { Machine } from '../model/machine.ts';
import { constraintText, holds } from '../model/placement.ts';
import type { PoolSpec } from '../model/pool.ts';
import { type Demand, type Request, requestOf } from './demand.ts';
import { type Candidate, fits, type Refusal, refusalsOf } from './fit.ts';
import { type Addition, further } from './grow.ts';
import { MachineBooks } from './machine-books.ts';
import { bestOf, noRoomText } from './place.ts';
import { mayHold } from './placement-faults.ts';
import { roomsOf } from './room.ts';
import type { MachineRoom, Reservation } from './rows.ts';

/** A pool at one moment, and what else there is. */
export interface Sight {
  readonly pool: string;
  readonly rooms: readonly MachineRoom[];
  readonly machines: readonly Machine[];
  readonly reservations: readonly Reservation[];
  readonly addition: Addition;
  readonly pools: ReadonlyMap<string, PoolSpec>;
}

/** Why something is not placed, or is where it is; sentences. */
interface Explanation {
  readonly message: string;
  /** Each a way in which it would fit. */
  readonly wouldFit: readonly string[];
}

/** Why a demand has no room now; undefined if a machine would take it. Pure. */
export function explainNoRoom(demand: Demand, group: string, sight: Sight): Explanation | undefined {
  const request = requestOf(demand, group);
  const { rooms, books } = booksOf(sight);
  if (bestOf(request, books, []) !== undefined) return undefined;
  const machine = sight.addition.newName();
  const records = new Map(sight.machines.map((one) => [one.name as string, one]));
  const more = further(sight.addition, rooms, records, { machine, needs: demand, owner: 'why', group });
  const message = noRoomText(demand, request, books, []);
  if (typeof more !== 'string')
    return { message, wouldFit: [`a machine is added for it: ${more.size}${zoneText(more.zone)}`] };
  return { message: `${message}; ${more}`, wouldFit: waysOf(request, books, sight) };
}

const zoneText = (zone: string | undefined): string => (zone === undefined ? '' : ` in zone ${zone}`);

/**
 * Why something is on its machine, as it is now: what speaks against the others, and what for this one. Pure.
 * @param runs whether it does already; it is to run there otherwise
 */
export function explainPlace(demand: Demand, one: Reservation, sight: Sight, runs = true): Explanation {
  const request = requestOf(demand, one.group);
  const { books } = booksOf(sight);
  books.find(({ machine }) => machine === one.machine)?.giveBack(one);
  const others = books.filter(({ machine }) => machine !== one.machine);
  const able = others.filter((other) => fits(request, other));
  const best = bestOf(request, books, []);
  const refused = others.length - able.length;
  const counted = countedText(request, others);
  const against = refused === 0 ? '' : ` Of ${others.length} others ${refused} would not do: ${counted}.`;
  const single = others.length === 0 ? `It is the only machine of pool ${sight.pool}.` : '';
  const choice =
    able.length === 0
      ? single
      : best?.machine === one.machine
        ? `Of ${able.length + 1} that would do it comes first: ${preference(request)}.`
        : `${best?.machine} would be chosen today (${preference(request)}); what runs is not moved for that.`;
  return {
    message: `It ${runs ? 'runs' : 'is to run'} on ${one.machine}.${against}${choice === '' ? '' : ` ${choice}`}`,
    wouldFit: [],
  };
}

function preference({ spread, strategy }: Request): string {
  const apart = {
    machine: 'the fewest of its replicas',
    zone: 'the zone with the fewest of its replicas, then the machine with the fewest',
    none: '',
  }[spread];
  const rest = strategy === 'spread' ? 'the emptiest' : 'the fullest';
  return apart === '' ? rest : `${apart}, then ${rest}`;
}

function booksOf(sight: Sight): { rooms: Map<string, MachineRoom>; books: MachineBooks[] } {
  const rooms = roomsOf(sight);
  const records = new Map(sight.machines.map((one) => [one.name as string, one]));
  return {
    rooms,
    books: [...rooms.values()].map((room) => MachineBooks.of(room, records.get(room.machine))),
  };
}

/** `2 too few free cores, 1 not zone == 2`, each by what weighs most. */
function countedText(request: Request, candidates: readonly Candidate[]): string {
  const counts = new Map<string, number>();
  for (const candidate of candidates) {
    const first = refusalsOf(request, candidate)[0];
    if (first !== undefined) counts.set(first.words, (counts.get(first.words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => `${count} ${words}`).join(', ');
}

const OF_ROOM: ReadonlySet<Refusal['kind']> = new Set(['cpu', 'memory', 'gpu']);

function waysOf(request: Request, candidates: readonly Candidate[], sight: Sight): string[] {
  return [
    ...nearest(request, candidates),
    ...otherPools(request, candidates, sight),
    ...portHolders(request, candidates, sight),
    ...neighbours(request, candidates),
    ...growth(request, sight),
  ];
}

/** The machine that lacks least, of those that lack nothing but room. */
function nearest(request: Request, candidates: readonly Candidate[]): string[] {
  const short = candidates.flatMap((candidate) => {
    const refusals = refusalsOf(request, candidate);
    if (refusals.length === 0 || !refusals.every(({ kind }) => OF_ROOM.has(kind))) return [];
    const share = refusals.reduce(
      (sum, { kind, missing = 0 }) => sum + missing / wholeOf(kind, candidate),
      0,
    );
    return [{ candidate, refusals, share }];
  });
  const [first] = short.sort((a, b) => a.share - b.share);
  if (first === undefined) return [];
  return [
    `${first.refusals.map(missingText).join(' and ')} more on one machine, for example ${first.candidate.machine}`,
  ];
}

const wholeOf = (kind: Refusal['kind'], { cpu, memory, gpu }: Candidate): number =>
  kind === 'cpu' ? cpu : kind === 'memory' ? memory : Math.max(1, gpu);

function missingText({ kind, missing = 0 }: Refusal): string {
  if (kind === 'cpu') return `${Number(missing.toFixed(3))} cores`;
  return kind === 'memory' ? `${missing} MiB` : `${missing} GPU${missing === 1 ? '' : 's'}`;
}

/** A condition that no machine fulfils: which pools would have one. */
function otherPools(
  { constraints }: Request,
  candidates: readonly Candidate[],
  { pool, pools }: Sight,
): string[] {
  return constraints
    .filter((one) => !candidates.some((candidate) => candidate.usable && holds(one, candidate)))
    .map((one) => {
      const found = [...pools]
        .filter(([name, spec]) => name !== pool && mayHold(one, spec))
        .map(([name]) => name);
      const where =
        found.length === 0 ? '' : `: pool ${found.join(', pool ')} ${found.length === 1 ? 'has' : 'have'} it`;
      return `a machine with ${constraintText(one)}${where}`;
    });
}

function portHolders(
  { fixed }: Request,
  candidates: readonly Candidate[],
  { reservations }: Sight,
): string[] {
  return fixed.flatMap((port) => {
    const taken = candidates.filter((one) => one.hasFixed(port)).map(({ machine }) => machine as string);
    if (taken.length === 0) return [];
    const holders = reservations.filter((one) => one.fixed?.includes(port) && taken.includes(one.machine));
    const names = [...new Set(holders.map(({ group }) => group))].join(', ');
    return [
      `a machine whose port ${port} is free: ${names} ${names.includes(',') ? 'have' : 'has'} it on ${taken.length}`,
    ];
  });
}

function neighbours({ affinity }: Request, candidates: readonly Candidate[]): string[] {
  return affinity.map((group) => {
    const beside = candidates.filter((one) => one.countOf(group) > 0);
    return beside.length === 0
      ? `a replica of ${group}: it is on no machine of the pool`
      : `room beside ${group}, which is on ${beside.map(({ machine }) => machine).join(', ')}`;
  });
}

/** One machine more, where one of the sizes would do. */
function growth({ cpu, memory, gpu }: Request, { pool, rooms, machines, addition }: Sight): string[] {
  const count = new Set([...rooms.map(({ machine }) => machine), ...machines.map(({ name }) => name)]).size;
  const { offerings } = addition.ranked;
  const would = offerings.some((one) => one.cpu >= cpu && one.memory >= memory && (one.gpu ?? 0) >= gpu);
  if (offerings.length > 0 && !would)
    return [`a larger size in pool ${pool}, or less ${lacking({ cpu, memory, gpu }, offerings)}`];
  return count >= addition.maximum ? [`a larger maximum of pool ${pool}, which is ${addition.maximum}`] : [];
}

/** What no offering has enough of. */
function lacking(
  { cpu, memory, gpu }: Pick<Request, 'cpu' | 'memory' | 'gpu'>,
  offerings: readonly Offering[],
): string {
  const wanted = { cpu, memory, gpu };
  const short = (['cpu', 'memory', 'gpu'] as const).filter((what) =>
    offerings.every((one) => (one[what] ?? 0) < wanted[what]),
  );
  return (short.length === 0 ? (['cpu', 'memory'] as const) : short).join(' and ');
}
