import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { type Demand, FIRST_PORT, type Placement, place, type Room } from './place.ts';
import type { MachineRoom, Reservation } from './rows.ts';

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
      readonly found?: { readonly machine: MachineName; readonly port: number | undefined };
    }
  | { readonly kind: 'release'; readonly reservation: string };

/** One pool at one moment. */
export interface Snapshot {
  readonly rooms: readonly MachineRoom[];
  readonly machines: readonly Machine[];
  /** Those that the changes name. */
  readonly reservations: readonly Reservation[];
}

/** What a further machine would be, and how many there may be; asked for only when no machine has room. */
export interface Addition {
  readonly maximum: number;
  readonly sizes: readonly { readonly size: string; readonly cpu: number; readonly memory: number }[];
  newName(): MachineName;
  readonly now: string;
}

export type Result =
  | {
      readonly outcome: 'reserved';
      readonly machine: MachineName;
      readonly port: number | undefined;
      readonly room: MachineRoom;
      /** Its record; absent until it was made. */
      readonly record: Machine | undefined;
    }
  | { readonly outcome: 'no-room'; readonly reason: string }
  | { readonly outcome: 'released' };

export interface Decision {
  readonly results: readonly Result[];
  readonly changedRooms: readonly MachineRoom[];
  /** What is reserved, and what no longer is, after all changes. */
  readonly reserved: readonly Reservation[];
  readonly released: readonly Reservation[];
  /** Machines that were chosen to be made. */
  readonly added: number;
}

/** Decides many changes on one snapshot, in order, each seeing those before it. Pure. */
export function decide(
  snapshot: Snapshot,
  changes: readonly Change[],
  addition: Addition | undefined,
): Decision {
  const machines = new Map(snapshot.machines.map((machine) => [machine.name, machine]));
  const rooms = new Map(
    snapshot.rooms.map((room) => [room.machine, sized(room, machines.get(room.machine))]),
  );
  for (const machine of snapshot.machines)
    if (machine.status.state !== 'failed' && !rooms.has(machine.name))
      rooms.set(machine.name, emptyRoom(machine));
  const before = new Map(rooms);
  const reservations = new Map(snapshot.reservations.map((one) => [one.reservation, one]));
  let added = 0;

  const take = (change: Extract<Change, { kind: 'reserve' }>): Result => {
    const known = reservations.get(change.reservation);
    const knownRoom = known && rooms.get(known.machine);
    const isLost = known !== undefined && machines.get(known.machine)?.status.state === 'failed';
    if (known !== undefined && knownRoom !== undefined && !isLost)
      return {
        outcome: 'reserved',
        machine: known.machine,
        port: known.port,
        room: knownRoom,
        record: machines.get(known.machine),
      };
    const candidates = [...rooms.values()].map((room) =>
      roomOf(room, machines.get(room.machine), change.group),
    );
    let placement: Placement = change.found
      ? { ...change.found, reason: 'it runs there' }
      : place(change.demand, candidates, change.avoid);
    if (placement.machine === undefined && addition !== undefined) {
      const more = further(addition, rooms.size, change);
      if (typeof more === 'string') return { outcome: 'no-room', reason: `${placement.reason}; ${more}` };
      added += 1;
      rooms.set(more.machine, more);
      placement = place(change.demand, [roomOf(more, undefined, change.group)]);
    }
    const room = [...rooms.values()].find(({ machine }) => machine === placement.machine);
    if (placement.machine === undefined || room === undefined)
      return { outcome: 'no-room', reason: placement.reason };
    const { cpu, memory } = change.demand;
    const { reservation, group } = change;
    const made: Reservation = {
      reservation,
      machine: room.machine,
      group,
      cpu,
      memory,
      ...(placement.port !== undefined && { port: placement.port }),
    };
    const rest = without(room, made);
    rooms.set(room.machine, rest);
    reservations.set(reservation, made);
    return {
      outcome: 'reserved',
      machine: room.machine,
      port: placement.port,
      room: rest,
      record: machines.get(room.machine),
    };
  };

  const results = changes.map((change): Result => {
    if (change.kind === 'reserve') return take(change);
    const known = reservations.get(change.reservation);
    if (known === undefined) return { outcome: 'released' };
    reservations.delete(change.reservation);
    const room = rooms.get(known.machine);
    if (room !== undefined) rooms.set(room.machine, withBack(room, known));
    return { outcome: 'released' };
  });
  const changedRooms = [...rooms.values()].filter((room) => before.get(room.machine) !== room);
  const reserved = [...reservations.values()].filter((one) => !snapshot.reservations.includes(one));
  const released = snapshot.reservations.filter((one) => !reservations.has(one.reservation));
  return { results, changedRooms, reserved, released, added };
}

/** The machine to add, or why none may be. */
function further(
  addition: Addition,
  count: number,
  { demand, owner }: Extract<Change, { kind: 'reserve' }>,
): MachineRoom | string {
  if (count >= addition.maximum) return `the pool has its maximum of ${addition.maximum} machines`;
  const size = addition.sizes.find(({ cpu, memory }) => cpu >= demand.cpu && memory >= demand.memory);
  if (size === undefined)
    return `no size of the pool is large enough (${addition.sizes.map((one) => `${one.size}: ${one.cpu} cores, ${one.memory} MiB`).join('; ')})`;
  const { cpu, memory } = size;
  return {
    machine: addition.newName(),
    cpu,
    memory,
    freeCpu: cpu,
    freeMemory: memory,
    ports: [],
    nextPort: FIRST_PORT,
    groups: {},
    owner,
    addedAt: addition.now,
  };
}

/** Room of a machine that nothing is reserved on. */
export const emptyRoom = ({ name, cpu, memory, owner, status }: Machine): MachineRoom => ({
  machine: name,
  cpu,
  memory,
  freeCpu: cpu,
  freeMemory: memory,
  ports: [],
  nextPort: FIRST_PORT,
  groups: {},
  owner,
  addedAt: 'since' in status ? status.since : status.at,
});

/** Once the machine exists its own figures count, not those its size promised. */
function sized(room: MachineRoom, machine: Machine | undefined): MachineRoom {
  if (machine === undefined || (machine.cpu === room.cpu && machine.memory === room.memory)) return room;
  const { cpu, memory } = machine;
  const freeCpu = room.freeCpu + cpu - room.cpu;
  const freeMemory = room.freeMemory + memory - room.memory;
  return { ...room, cpu, memory, freeCpu, freeMemory };
}

function roomOf(room: MachineRoom, machine: Machine | undefined, group: string): Room {
  const state = machine?.status.state ?? 'provisioning';
  const coming = state === 'provisioning' || state === 'booting';
  const usable = (coming || state === 'ready') && room.closed !== true;
  return { ...room, usable, coming, siblings: room.groups[group] ?? 0 };
}

function without(room: MachineRoom, { cpu, memory, port, group }: Reservation): MachineRoom {
  return {
    ...room,
    freeCpu: tidy(room.freeCpu - cpu),
    freeMemory: room.freeMemory - memory,
    ports: port === undefined ? room.ports : [...room.ports, port],
    nextPort: port === undefined ? room.nextPort : port + 1,
    groups: { ...room.groups, [group]: (room.groups[group] ?? 0) + 1 },
  };
}

function withBack(room: MachineRoom, { cpu, memory, port, group }: Reservation): MachineRoom {
  const left = (room.groups[group] ?? 1) - 1;
  const { [group]: _, ...others } = room.groups;
  return {
    ...room,
    freeCpu: tidy(room.freeCpu + cpu),
    freeMemory: room.freeMemory + memory,
    ports: room.ports.filter((one) => one !== port),
    groups: left > 0 ? { ...others, [group]: left } : others,
  };
}

/** Keeps sums of tenths from drifting. */
const tidy = (cores: number) => Number(cores.toFixed(6));
