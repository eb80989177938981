import type { Offering } from '../machines/offerings/offering.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { type Addition, type Claim, claimedBy, freshRoom, further, tidy, totalOf } from './grow.ts';
import { type Demand, type Placement, place, type Room } from './place.ts';
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
      readonly found?: { readonly machine: MachineName; readonly port: number | undefined };
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
      readonly room: MachineRoom;
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
  const machines = new Map(snapshot.machines.map((machine) => [machine.name, machine]));
  const rooms = new Map(
    snapshot.rooms.map((room) => [room.machine, sized(room, machines.get(room.machine))]),
  );
  for (const machine of snapshot.machines)
    if ((machine.status.state !== 'failed' || machine.leftovers.length > 0) && !rooms.has(machine.name))
      rooms.set(machine.name, emptyRoom(machine));
  const before = new Map(rooms);
  const reservations = new Map(snapshot.reservations.map((one) => [one.reservation, one]));
  let grows = false;

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
      const more = further(addition, rooms, machines, {
        machine: addition.newName(),
        needs: change.demand,
        owner: change.owner,
      });
      if (typeof more === 'string') return { outcome: 'no-room', reason: `${placement.reason}; ${more}` };
      grows = true;
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

  const add = ({ machine, owner }: Extract<Change, { kind: 'add' }>): Result => {
    if (rooms.has(machine)) return { outcome: 'added', machine };
    if (addition === undefined) return { outcome: 'no-room', reason: 'a machine is to be added' };
    const more = further(addition, rooms, machines, { machine, needs: { cpu: 0, memory: 0 }, owner });
    if (typeof more === 'string') return { outcome: 'no-room', reason: more };
    grows = true;
    rooms.set(machine, more);
    return { outcome: 'added', machine };
  };

  const claim = (change: Extract<Change, { kind: 'claim' }>): Result => {
    if (addition === undefined) return { outcome: 'no-room', reason: 'a machine is to be claimed' };
    const claimed = claimedBy(change, addition, rooms, machines);
    if (typeof claimed === 'string') return { outcome: 'no-room', reason: claimed };
    grows = true;
    rooms.set(change.machine, claimed.room);
    return { outcome: 'claimed', offering: claimed.offering };
  };

  const results = changes.map((change): Result => {
    if (change.kind === 'reserve') return take(change);
    if (change.kind === 'add') return add(change);
    if (change.kind === 'claim') return claim(change);
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
  const grown = grows ? totalOf([...rooms.values()]) : undefined;
  return { results, changedRooms, reserved, released, grown };
}

/** Room of a recorded machine that nothing is reserved on. */
export const emptyRoom = ({ name, cpu, memory, hourly, owner, status }: Machine): MachineRoom =>
  freshRoom({
    machine: name,
    cpu,
    memory,
    hourly,
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
  const usable = (coming || state === 'ready') && room.closed !== true && machine?.cordon === undefined;
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
