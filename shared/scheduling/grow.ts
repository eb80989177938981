import { chooseOffering } from '../machines/offerings/choose-offering.ts';
import type { Offering } from '../machines/offerings/offering.ts';
import type { Ranked } from '../machines/offerings/rank-offerings.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { FIRST_PORT } from './place.ts';
import type { Limits, MachineRoom } from './rows.ts';

/** What a pool may grow to at the moment; asked for only when it is to grow. */
export interface Outlook {
  /** Machines, those that failed and may have left something too. */
  readonly maximum: number;
  /** US dollars per hour that all may cost together. */
  readonly hourlyLimit: number | undefined;
  readonly ranked: Ranked;
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
    readonly needs: { readonly cpu: number; readonly memory: number };
    readonly owner: string;
  },
): MachineRoom | string {
  if (rooms.size >= addition.maximum) return `the pool has its maximum of ${addition.maximum} machines`;
  const coming = [...rooms.values()].filter((room) => isComing(machines.get(room.machine))).length;
  const resting = addition.resting(coming);
  if (resting !== undefined) return `the pool gets no machine now: ${resting}`;
  const chosen = chooseOffering(addition.ranked, of.needs, leftOf(addition, [...rooms.values()]));
  if ('reason' in chosen) return `no machine of the pool is to be had: ${chosen.reason}`;
  return roomFor(chosen, of, addition.now);
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
  };
  const chosen = chooseOffering(ranked, least, leftOf(addition, counted));
  if ('reason' in chosen) return chosen.reason;
  const fresh = roomFor(chosen, { machine, owner }, addition.now);
  if (room === undefined) return { room: { ...fresh, claimed: true }, offering: chosen };
  const { hourly: _, ...known } = room;
  return {
    room: {
      ...known,
      cpu: fresh.cpu,
      memory: fresh.memory,
      freeCpu: tidy(fresh.cpu - reserved.cpu),
      freeMemory: fresh.memory - reserved.memory,
      ...(fresh.hourly !== undefined && { hourly: fresh.hourly }),
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
  { cpu, memory, hourly }: Offering,
  of: { readonly machine: MachineName; readonly owner: string },
  addedAt: string,
): MachineRoom => freshRoom({ ...of, cpu, memory, hourly, addedAt });

/** Room of a machine that nothing is reserved on. */
export const freshRoom = ({
  hourly,
  ...of
}: Pick<MachineRoom, 'machine' | 'cpu' | 'memory' | 'owner' | 'addedAt'> & {
  readonly hourly: number | undefined;
}): MachineRoom => ({
  ...of,
  freeCpu: of.cpu,
  freeMemory: of.memory,
  ports: [],
  nextPort: FIRST_PORT,
  groups: {},
  ...(hourly !== undefined && { hourly }),
});

/** What the pool comes to. */
export const totalOf = (rooms: readonly MachineRoom[]): Limits => ({
  machines: rooms.length,
  hourly: tidy(rooms.reduce((sum, { hourly = 0 }) => sum + hourly, 0)),
});

/** Keeps sums of tenths from drifting. */
export const tidy = (figure: number) => Number(figure.toFixed(6));
