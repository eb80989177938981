import { Retryable } from '../model/errors.ts';
import type { Machine } from '../model/machine.ts';
import { MachineName } from '../model/names.ts';
import { batched } from '../state/batched.ts';
import { documentOf, documents, documentValues } from '../state/documents.ts';
import { Conflict, type Row, type Tables, type Write } from '../state/tables.ts';
import { type Change, type Decision, decide, type Result, type Snapshot } from './decide.ts';
import type { Addition, Claim, Outlook } from './grow.ts';
import {
  LIMITS_ROW,
  Limits,
  MACHINES_RANGE,
  MachineRoom,
  machineRow,
  RESERVATIONS_RANGE,
  Reservation,
  reservationRow,
} from './rows.ts';

/** What reservations need to know of elsewhere. */
export interface CapacitySources {
  readonly tables: Tables;
  /** Records of a pool's machines. */
  machines(pool: string): Promise<readonly Machine[]>;
  /**
   * What the pool may grow to now; by its stored specification, whoever asks.
   * @param growing whether machines may be added: otherwise what there is to be had need not be looked up
   */
  outlook(pool: string, growing: boolean): Promise<Outlook>;
  now(): Date;
  random(): number;
  sleep(milliseconds: number): Promise<void>;
}

type ResultOf<O extends Result['outcome']> = Extract<Result, { outcome: O | 'no-room' }>;

export interface Capacity {
  /**
   * Reserves room, or answers what is reserved already. A machine that has to be made first is entered with it, so that
   * others who need room share it.
   */
  reserve(
    pool: string,
    request: Omit<Extract<Change, { kind: 'reserve' }>, 'kind'>,
  ): Promise<ResultOf<'reserved' | 'released'>>;
  /** Releasing what is not reserved is no error. */
  release(pool: string, reservation: string): Promise<void>;
  /**
   * Enters a machine that nothing waits for, unless that would pass the pool's maximum or hourly limit, or the pool
   * rests. Who enters one has it provisioned; one that is not recorded within two minutes is struck out.
   */
  add(pool: string, machine: Omit<Extract<Change, { kind: 'add' }>, 'kind'>): Promise<ResultOf<'added'>>;
  /**
   * Decides what a machine is before ARM is asked for it: nothing is ever made that was not claimed, so that no pool
   * passes its maximum or its hourly limit, whoever wants the machine. Claiming again chooses again.
   */
  claim(pool: string, machine: Claim): Promise<ResultOf<'claimed'>>;
  /** A machine that is gone: its room and everything that was reserved there. */
  removeMachine(pool: string, machine: string): Promise<void>;
}

const TABLE = 'capacity';
const MOST_ATTEMPTS = 30;
/** Three writes at most come of one change, and a transaction holds 100. */
const MOST_CHANGES = 32;
/** Their rows and the limits' make a transaction of 100. */
const MOST_REMOVED = 99;
/** A machine that was chosen and never recorded for this long will not come. */
const UNRECORDED_MS = 120_000;
/** One that was claimed is being recorded: longer than any activity may take. */
const CLAIMED_MS = 2_400_000;

interface Waiting {
  readonly change: Change;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Changes of a pool that arrive together are decided together and committed in one transaction. */
export function capacity(sources: CapacitySources): Capacity {
  const { tables } = sources;
  const queues = new Map<string, Waiting[]>();

  /** @typeParam O what such a change is answered with, by `decide` */
  const enqueue = <O extends Result['outcome']>(pool: string, change: Change): Promise<ResultOf<O>> =>
    new Promise<Result>((resolve, reject) => {
      const queue = queues.get(pool);
      if (queue !== undefined) queue.push({ change, resolve, reject });
      else {
        queues.set(pool, [{ change, resolve, reject }]);
        // What is asked for at the same moment is decided together, from the first.
        setImmediate(() => void drain(pool));
      }
    }) as Promise<ResultOf<O>>;

  const drain = async (pool: string): Promise<void> => {
    for (;;) {
      const batch = queues.get(pool)?.splice(0, MOST_CHANGES) ?? [];
      if (batch.length === 0) break;
      try {
        const results = await commit(
          pool,
          batch.map(({ change }) => change),
        );
        batch.forEach((waiting, index) => {
          const result = results[index];
          if (result !== undefined) waiting.resolve(result);
        });
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    queues.delete(pool);
  };

  const commit = (pool: string, changes: readonly Change[]): Promise<readonly Result[]> => {
    // Most reservations are asked for once. That one was there already shows when it is entered, or not placed.
    let isFirst = changes.every(({ kind }) => kind === 'reserve');
    return again(sources, pool, async () => {
      const isHopeful = isFirst;
      isFirst = false;
      const { snapshot, rows } = await read(pool, isHopeful ? [] : changes);
      const gone = snapshot.rooms.filter((room) => isGone(room, snapshot.machines, sources.now()));
      if (gone.length > 0) {
        await Promise.all(gone.map(({ machine }) => removeMachine(pool, machine)));
        return undefined;
      }
      let decision = decide(snapshot, changes, undefined);
      if (isHopeful && decision.results.some(({ outcome }) => outcome !== 'reserved')) return undefined;
      if (decision.results.some(({ outcome }) => outcome === 'no-room'))
        decision = decide(snapshot, changes, await additionOf(pool, changes));
      const writes = writesOf(decision, rows);
      if (writes.length > 0) await tables.commit(TABLE, pool, writes);
      return decision.results;
    });
  };

  const read = async (
    pool: string,
    changes: readonly Change[],
  ): Promise<{ snapshot: Snapshot; rows: Map<string, Row> }> => {
    const names = new Set(changes.flatMap((change) => ('reservation' in change ? change.reservation : [])));
    const named = [...names].map((name) => tables.read(TABLE, pool, reservationRow(name)));
    const [machineRows, machines, reservationRows] = await Promise.all([
      collect(tables.list(TABLE, { partition: pool, ...MACHINES_RANGE })),
      sources.machines(pool),
      Promise.all(named),
    ]);
    const found = reservationRows.filter((row) => row !== undefined);
    const rows = new Map([...machineRows, ...found].map((row) => [row.row, row]));
    const rooms = machineRows.filter(({ row }) => row !== LIMITS_ROW);
    return {
      rows,
      snapshot: {
        rooms: rooms.map(({ values }) => documentOf(MachineRoom, values)),
        machines,
        reservations: found.map(({ values }) => documentOf(Reservation, values)),
      },
    };
  };

  const additionOf = async (pool: string, changes: readonly Change[]): Promise<Addition> => ({
    ...(await sources.outlook(
      pool,
      changes.some(({ kind }) => kind === 'reserve' || kind === 'add'),
    )),
    newName: () => MachineName.parse(`${pool}-${lettersOf(sources.random)}`),
    now: sources.now().toISOString(),
  });

  const strikeOut = async (pool: string, names: readonly string[]): Promise<void> => {
    const gone = new Set(names);
    const reservations = documents(tables, TABLE, Reservation);
    for await (const { row, value } of reservations.list({ partition: pool, ...RESERVATIONS_RANGE }))
      if (gone.has(value.machine)) await reservations.delete(pool, row);
    const machines = [...gone];
    for (let from = 0; from < machines.length; from += MOST_REMOVED) {
      const some = machines.slice(from, from + MOST_REMOVED);
      await again(sources, pool, async () => {
        const [limits, ...found] = await Promise.all(
          [LIMITS_ROW, ...some.map(machineRow)].map((row) => tables.read(TABLE, pool, row)),
        );
        const rooms = found.filter((room) => room !== undefined);
        if (rooms.length === 0) return true;
        const before = limits === undefined ? undefined : documentOf(Limits, limits.values);
        const hourly = rooms.reduce(
          (sum, room) => sum + (documentOf(MachineRoom, room.values).hourly ?? 0),
          0,
        );
        const after: Limits = {
          machines: Math.max(0, (before?.machines ?? 0) - rooms.length),
          hourly: Math.max(0, Number(((before?.hourly ?? 0) - hourly).toFixed(6))),
        };
        await tables.commit(TABLE, pool, [
          ...rooms.map(({ row }): Write => ({ kind: 'delete', row })),
          put(LIMITS_ROW, after, limits),
        ]);
        return true;
      });
    }
  };
  /** Many go at once when a pool shrinks: each alone would have to wait for the row that all of them change. */
  const removeMachine = batched(strikeOut);

  return {
    reserve: (pool, request) => enqueue(pool, { kind: 'reserve', ...request }),
    async release(pool, reservation) {
      await enqueue(pool, { kind: 'release', reservation });
    },
    add: (pool, machine) => enqueue(pool, { kind: 'add', ...machine }),
    claim: (pool, machine) => enqueue(pool, { kind: 'claim', ...machine }),
    removeMachine,
  };
}

/** A machine without a record was chosen just now, or never came; one that failed counts until ARM has nothing of it. */
function isGone(room: MachineRoom, machines: readonly Machine[], now: Date): boolean {
  const machine = machines.find(({ name }) => name === room.machine);
  if (machine !== undefined) return machine.status.state === 'failed' && machine.leftovers.length === 0;
  const patience = room.claimed === true ? CLAIMED_MS : UNRECORDED_MS;
  return now.getTime() - Date.parse(room.addedAt) > patience;
}

function writesOf(decision: Decision, rows: ReadonlyMap<string, Row>): Write[] {
  const writes: Write[] = decision.changedRooms.map((room) => {
    const row = machineRow(room.machine);
    return put(row, room, rows.get(row));
  });
  for (const reservation of decision.reserved) {
    const row = reservationRow(reservation.reservation);
    writes.push(put(row, reservation, rows.get(row)));
  }
  for (const { reservation } of decision.released)
    writes.push({ kind: 'delete', row: reservationRow(reservation) });
  if (decision.grown !== undefined) writes.push(put(LIMITS_ROW, decision.grown, rows.get(LIMITS_ROW)));
  return writes;
}

const put = (row: string, value: unknown, before: Row | undefined): Write =>
  before === undefined
    ? { kind: 'insert', row, values: documentValues(value) }
    : { kind: 'replace', row, values: documentValues(value), etag: before.etag };

/** Tries until nobody was faster; `attempt` answers undefined to be called again. */
async function again<T>(
  { random, sleep }: CapacitySources,
  pool: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 1; tries <= MOST_ATTEMPTS; tries += 1) {
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      await sleep(random() * 10 * tries);
    }
  }
  throw new Retryable({
    code: 'capacity-contended',
    message: `The capacity of pool ${pool} changed ${MOST_ATTEMPTS} times while room was being reserved.`,
    remedy: 'It is tried again.',
  });
}

const LETTERS = 'bcdfghjkmnpqrstvwxz23456789';
const lettersOf = (random: () => number): string =>
  Array.from({ length: 6 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('');

async function collect<T>(listing: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of listing) found.push(one);
  return found;
}
