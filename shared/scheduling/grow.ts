import { chooseOffering } from '../machines/offerings/choose-offering.ts';
import { type Offering, offeringText } from '../machines/offerings/offering.ts';
import type { Ranked } from '../machines/offerings/rank-offerings.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { constraintText, holds } from '../model/placement.ts';
import { constraintsOf, type Demand, type Request, requestOf } from './demand.ts';
import { freshRoom, tidy } from './room.ts';
import type { Limits, MachineRoom } from './rows.ts';

/** What a pool may grow to at the moment; asked for only when it is to grow. */
export interface Outlook {
  /** Machines, those that failed and may have left something too. */
  readonly maximum: number;
  /** US dollars per hour that all may cost together. */
  readonly hourlyLimit: number | undefined;
  readonly ranked: Ranked;
  /** That its new machines get. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Why no machine is added now. @param coming machines of the pool that are on their way */
  resting(coming: number): string | undefined;
}

export interface Addition extends Outlook {
  newName(): MachineName;
  readonly now: string;
}

/** Before ARM is asked for a machine: what it is to be, of what there is to be had. */
export interface Claim {
  readonly machine: MachineName;
  readonly owner: string;
  readonly needs: { readonly cpu: number; readonly memory: number };
  readonly ranked: Ranked;
}

type Rooms = ReadonlyMap<string, MachineRoom>;
type Machines = ReadonlyMap<string, Machine>;

/** The machine to add, or why none may be. */
export function further(
  addition: Addition,
  rooms: Rooms,
  machines: Machines,
  of: {
    readonly machine: MachineName;
    /** What it is added for: it must fit there. */
    readonly needs: Demand;
    /** Of what it is added for. */
    readonly group: string;
    readonly owner: string;
  },
): MachineRoom | string {
  const request = requestOf(of.needs, of.group);
  const useless = uselessFor(request, of.machine, addition);
  if (useless !== undefined) return useless;
  if (rooms.size >= addition.maximum) return `the pool has its maximum of ${addition.maximum} machines`;
  const coming = [...rooms.values()].filter((room) => isComing(machines.get(room.machine))).length;
  const resting = addition.resting(coming);
  if (resting !== undefined) return `the pool gets no machine now: ${resting}`;
  const ranked = suitable(addition.ranked, of.needs.wishes?.constraints ?? []);
  const chosen = chooseOffering(ranked, request, leftOf(addition, [...rooms.values()]));
  if ('reason' in chosen) return `no machine of the pool is to be had: ${chosen.reason}`;
  return roomFor(chosen, of, addition);
}

/** Why no new machine of the pool would serve, whatever its size and zone; undefined if one may. */
function uselessFor(
  { constraints, affinity, follows }: Request,
  machine: string,
  { labels = {} }: Pick<Outlook, 'labels'>,
): string | undefined {
  if (follows) return 'no machine is added for what runs once on each';
  const facts = { machine, labels };
  const failed = constraints.find(
    (constraint) => (constraint.on === 'label' || constraint.on === 'machine') && !holds(constraint, facts),
  );
  if (failed !== undefined)
    return `a new machine of the pool would not be one with ${constraintText(failed)}`;
  return affinity.length > 0 ? `a new machine of the pool would be without ${affinity[0]}` : undefined;
}

/** Of what is to be had, only what fulfils conditions on size and zone. */
function suitable({ offerings, passed }: Ranked, constraints: readonly string[]): Ranked {
  const conditions = constraintsOf(constraints).filter(({ on }) => on === 'size' || on === 'zone');
  if (conditions.length === 0) return { offerings, passed };
  const failing = ({ size, zone }: Offering) =>
    conditions.find((condition) => !holds(condition, { machine: '', size, zone, labels: {} }));
  return {
    offerings: offerings.filter((offering) => failing(offering) === undefined),
    passed: [
      ...passed,
      ...offerings.flatMap((offering) => {
        const condition = failing(offering);
        const reason = condition && `not ${constraintText(condition)}`;
        return reason === undefined ? [] : [{ offering: offeringText(offering), reason }];
      }),
    ],
  };
}

/** The room of a machine that ARM is to be asked for, as one of what there is to be had; or why it may not be. */
export function claimedBy(
  { machine, owner, needs, ranked }: Claim,
  addition: Addition,
  rooms: Rooms,
  machines: Machines,
): { readonly room: MachineRoom; readonly offering: Offering } | string {
  const others = [...rooms.values()].filter((room) => room.machine !== machine);
  const room = rooms.get(machine);
  const counted = room === undefined ? others : others.filter((one) => isClaimed(one, machines));
  if (counted.length >= addition.maximum) return `the pool has its maximum of ${addition.maximum} machines`;
  // Others may have reserved more there than it is made for.
  const reserved = {
    cpu: (room?.cpu ?? 0) - (room?.freeCpu ?? 0),
    memory: (room?.memory ?? 0) - (room?.freeMemory ?? 0),
  };
  const least = {
    cpu: tidy(Math.max(needs.cpu, reserved.cpu)),
    memory: Math.max(needs.memory, reserved.memory),
    gpu: room?.gpus?.length ?? 0,
  };
  const chosen = chooseOffering(suitable(ranked, room?.wants ?? []), least, leftOf(addition, counted));
  if ('reason' in chosen) return chosen.reason;
  const fresh = roomFor(chosen, { machine, owner }, addition);
  if (room === undefined) return { room: { ...fresh, claimed: true }, offering: chosen };
  const { hourly: _, size: _size, zone: _zone, gpu: _gpu, ...known } = room;
  return {
    room: {
      ...known,
      cpu: fresh.cpu,
      memory: fresh.memory,
      freeCpu: tidy(fresh.cpu - reserved.cpu),
      freeMemory: fresh.memory - reserved.memory,
      ...(fresh.hourly !== undefined && { hourly: fresh.hourly }),
      ...(fresh.size !== undefined && { size: fresh.size }),
      ...(fresh.zone !== undefined && { zone: fresh.zone }),
      ...(fresh.gpu !== undefined && { gpu: fresh.gpu }),
      claimed: true,
    },
    offering: chosen,
  };
}

const isComing = (machine: Machine | undefined): boolean =>
  machine === undefined || machine.status.state === 'provisioning' || machine.status.state === 'booting';

const isClaimed = (room: MachineRoom, machines: Machines): boolean =>
  room.claimed === true || machines.has(room.machine);

/** What one more machine may cost beside these; undefined: anything. One whose price is not known leaves nothing. */
function leftOf({ hourlyLimit }: Outlook, rooms: readonly MachineRoom[]): number | undefined {
  if (hourlyLimit === undefined) return undefined;
  const cost = costOf(rooms);
  return cost === undefined ? 0 : hourlyLimit - cost;
}

/** undefined where a price is not known. */
const costOf = (rooms: readonly MachineRoom[]): number | undefined =>
  rooms.reduce<number | undefined>(
    (sum, { hourly }) => (sum === undefined || hourly === undefined ? undefined : sum + hourly),
    0,
  );

const roomFor = (
  { cpu, memory, gpu, size, zone, hourly }: Offering,
  { machine, owner }: { readonly machine: MachineName; readonly owner: string },
  { now: addedAt, labels = {} }: Addition,
): MachineRoom =>
  freshRoom({ machine, owner, cpu, memory, gpu, size, zone, labels: { ...labels }, hourly, addedAt });

/** What the pool comes to. */
export const totalOf = (rooms: readonly MachineRoom[]): Limits => ({
  machines: rooms.length,
  hourly: tidy(rooms.reduce((sum, { hourly = 0 }) => sum + hourly, 0)),
});
