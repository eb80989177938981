import type { Offering } from '../machines/offerings/offering.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import type { Demand } from './demand.ts';
import { type Addition, type Claim, claimedBy, further, totalOf } from './grow.ts';
import { MachineBooks } from './machine-books.ts';
import { type Placement, place } from './place.ts';
import { PlacementIndex } from './placement-index.ts';
import { reservationOn, roomsOf } from './room.ts';
import type { Limits, MachineRoom, Reservation } from './rows.ts';

export type Change =
  | {
      readonly kind: 'reserve';
      /** Name of the container that room is for. */
      readonly reservation: string;
      readonly group: string;
      readonly demand: Demand;
      readonly avoid: readonly string[];
      /** Instance id of the orchestration that needs it. */
      readonly owner: string;
      /** Where it is already: a container that runs without a record. */
      readonly found?: {
        readonly machine: MachineName;
        readonly port: number | undefined;
        readonly gpus?: readonly number[] | undefined;
      };
    }
  | { readonly kind: 'release'; readonly reservation: string }
  /** A machine that nothing waits for: of the minimum, a spare, one that takes another's place. */
  | { readonly kind: 'add'; readonly machine: MachineName; readonly owner: string }
  | ({ readonly kind: 'claim' } & Claim);

/** One pool at one moment. */
export interface Snapshot {
  readonly rooms: readonly MachineRoom[];
  readonly machines: readonly Machine[];
  /** Those that the changes name. */
  readonly reservations: readonly Reservation[];
}

export type Result =
  | {
      readonly outcome: 'reserved';
      readonly machine: MachineName;
      readonly port: number | undefined;
      /** Numbers of the machine's GPUs that it may use. */
      readonly gpus: readonly number[];
      /** Why there; absent where it was reserved before. */
      readonly reason?: string | undefined;
      /** Instance id of the orchestration whose need made the machine: it provisions it. */
      readonly owner: string;
      /** Its record; absent until it was made. */
      readonly record: Machine | undefined;
    }
  | { readonly outcome: 'no-room'; readonly reason: string }
  | { readonly outcome: 'released' }
  | { readonly outcome: 'added'; readonly machine: MachineName }
  | { readonly outcome: 'claimed'; readonly offering: Offering };

export interface Decision {
  readonly results: readonly Result[];
  readonly changedRooms: readonly MachineRoom[];
  /** What is reserved, and what no longer is, after all changes. */
  readonly reserved: readonly Reservation[];
  readonly released: readonly Reservation[];
  /** What the pool comes to, where machines were added or claimed. */
  readonly grown: Limits | undefined;
}

/** Decides many changes on one snapshot, in order, each seeing those before it. Pure. */
export function decide(
  snapshot: Snapshot,
  changes: readonly Change[],
  addition: Addition | undefined,
): Decision {
  const pool = new PoolBooks(snapshot, addition, changes.length === 1);
  const results = changes.map((change) => pool.make(change));
  return { results, ...pool.changes() };
}

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/** What is known of a pool, and what becomes of it. */
class PoolBooks {
  readonly #snapshot: Snapshot;
  readonly #addition: Addition | undefined;
  readonly #machines: ReadonlyMap<string, Machine>;
  /** As they were read, or added; what is placed is in `#books` first. */
  readonly #rooms: Map<string, MachineRoom>;
  /** Machines of which something was changed. */
  readonly #touched = new Set<string>();
  readonly #books = new Map<string, MachineBooks>();
  readonly #reservations: Map<string, Reservation>;
  /** Made with the first thing that is to be placed, unless that is the only one: then one look at each machine is faster. */
  #index: PlacementIndex | undefined;
  readonly #once: boolean;
  #grows = false;

  constructor(snapshot: Snapshot, addition: Addition | undefined, once: boolean) {
    this.#once = once;
    this.#snapshot = snapshot;
    this.#addition = addition;
    const machines = new Map<string, Machine>();
    for (const machine of snapshot.machines) machines.set(machine.name, machine);
    const rooms = roomsOf(snapshot, machines);
    this.#machines = machines;
    this.#rooms = rooms;
    this.#reservations = new Map(snapshot.reservations.map((one) => [one.reservation, one]));
  }

  make(change: Change): Result {
    switch (change.kind) {
      case 'reserve':
        return this.#reserve(change);
      case 'release':
        return this.#release(change.reservation);
      case 'add':
        return this.#add(change);
      case 'claim':
        return this.#claim(change);
    }
  }

  #reserve(change: Of<'reserve'>): Result {
    const known = this.#reservations.get(change.reservation);
    const isLost = known !== undefined && this.#machines.get(known.machine)?.status.state === 'failed';
    if (known !== undefined && !isLost && this.#rooms.has(known.machine)) return this.#reserved(known);
    const { found } = change;
    const placement: Placement = found
      ? { machine: found.machine, reason: 'it runs there' }
      : this.#place(change);
    const books = placement.machine === undefined ? undefined : this.#booksOf(placement.machine);
    if (books === undefined) return { outcome: 'no-room', reason: placement.reason };
    const made = reservationOn(books, change, found);
    books.take(made);
    this.#touched.add(books.machine);
    this.#index?.put(books, made);
    this.#reservations.set(change.reservation, made);
    return this.#reserved(made, placement.reason);
  }

  #reserved({ machine, port, gpus = [] }: Reservation, reason?: string): Result {
    return {
      outcome: 'reserved',
      machine,
      port,
      gpus,
      reason,
      owner: this.#rooms.get(machine)?.owner ?? '',
      record: this.#machines.get(machine),
    };
  }

  /** On a machine that there is, or one more. */
  #place({ demand, group, avoid, owner }: Of<'reserve'>): Placement {
    const placement = this.#once
      ? place(demand, group, this.#allBooks(), avoid)
      : this.#indexed().place(demand, group, avoid);
    if (placement.machine !== undefined || this.#addition === undefined) return placement;
    const machine = this.#addition.newName();
    const more = further(this.#addition, this.#rooms, this.#machines, {
      machine,
      needs: demand,
      owner,
      group,
    });
    if (typeof more === 'string') return { machine: undefined, reason: `${placement.reason}; ${more}` };
    this.#grow(more);
    return { machine, reason: `a machine is added: ${placement.reason}` };
  }

  #release(reservation: string): Result {
    const known = this.#reservations.get(reservation);
    const books = known && this.#booksOf(known.machine);
    this.#reservations.delete(reservation);
    if (known !== undefined && books !== undefined) {
      books.giveBack(known);
      this.#touched.add(books.machine);
      this.#index?.put(books);
    }
    return { outcome: 'released' };
  }

  #add({ machine, owner }: Of<'add'>): Result {
    if (this.#rooms.has(machine)) return { outcome: 'added', machine };
    if (this.#addition === undefined) return { outcome: 'no-room', reason: 'a machine is to be added' };
    const needs = { cpu: 0, memory: 0, port: false };
    const more = further(this.#addition, this.#rooms, this.#machines, { machine, needs, owner, group: '' });
    if (typeof more === 'string') return { outcome: 'no-room', reason: more };
    this.#grow(more);
    return { outcome: 'added', machine };
  }

  #claim(change: Of<'claim'>): Result {
    if (this.#addition === undefined) return { outcome: 'no-room', reason: 'a machine is to be claimed' };
    const books = this.#books.get(change.machine);
    if (books !== undefined) this.#rooms.set(change.machine, books.row());
    const claimed = claimedBy(change, this.#addition, this.#rooms, this.#machines);
    if (typeof claimed === 'string') return { outcome: 'no-room', reason: claimed };
    this.#grow(claimed.room);
    return { outcome: 'claimed', offering: claimed.offering };
  }

  /** A machine that is new, or is to be something else. */
  #grow(room: MachineRoom): void {
    this.#grows = true;
    this.#touched.add(room.machine);
    this.#rooms.set(room.machine, room);
    this.#books.delete(room.machine);
    const books = this.#booksOf(room.machine);
    if (books !== undefined) this.#index?.put(books);
  }

  #indexed(): PlacementIndex {
    this.#index ??= new PlacementIndex(this.#allBooks());
    return this.#index;
  }

  #allBooks(): MachineBooks[] {
    const all: MachineBooks[] = [];
    for (const machine of this.#rooms.keys()) {
      const books = this.#booksOf(machine);
      if (books !== undefined) all.push(books);
    }
    return all;
  }

  #booksOf(machine: string): MachineBooks | undefined {
    const known = this.#books.get(machine);
    const room = this.#rooms.get(machine);
    if (known !== undefined || room === undefined) return known;
    const books = MachineBooks.of(room, this.#machines.get(machine));
    this.#books.set(machine, books);
    return books;
  }

  changes(): Omit<Decision, 'results'> {
    const before = new Set(this.#snapshot.reservations);
    const roomOf = (machine: string) => this.#books.get(machine)?.row() ?? this.#rooms.get(machine);
    const rooms = (machines: Iterable<string>) => [...machines].flatMap((machine) => roomOf(machine) ?? []);
    return {
      changedRooms: rooms(this.#touched),
      reserved: [...this.#reservations.values()].filter((one) => !before.has(one)),
      released: this.#snapshot.reservations.filter((one) => !this.#reservations.has(one.reservation)),
      grown: this.#grows ? totalOf(rooms(this.#rooms.keys())) : undefined,
    };
  }
}
