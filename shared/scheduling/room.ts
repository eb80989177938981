import type { Machine } from '../model/machine.ts';
import type { Demand } from './demand.ts';
import type { Candidate } from './fit.ts';
import { FIRST_PORT, freeGpuNumbers, freePort } from './ports.ts';
import type { MachineRoom, Reservation } from './rows.ts';

/** Keeps sums of tenths from drifting. */
export const tidy = (figure: number): number => Math.round(figure * 1e6) / 1e6;

/** Room of a machine that nothing is reserved on. */
export const freshRoom = ({
  hourly,
  gpu,
  zone,
  ...of
}: Pick<MachineRoom, 'machine' | 'cpu' | 'memory' | 'owner' | 'addedAt' | 'size' | 'labels'> & {
  readonly hourly: number | undefined;
  readonly gpu: number | undefined;
  readonly zone: string | undefined;
}): MachineRoom => ({
  ...of,
  freeCpu: of.cpu,
  freeMemory: of.memory,
  ports: [],
  nextPort: FIRST_PORT,
  groups: {},
  ...(gpu !== undefined && gpu > 0 && { gpu }),
  ...(zone !== undefined && { zone }),
  ...(hourly !== undefined && { hourly }),
});

/** Room of a recorded machine that nothing is reserved on. */
export const emptyRoom = (machine: Machine): MachineRoom => {
  const { name, cpu, memory, gpu, hourly, owner, status, size, zone, labels } = machine;
  const addedAt = 'since' in status ? status.since : status.at;
  return freshRoom({ machine: name, cpu, memory, gpu, hourly, owner, addedAt, size, zone, labels });
};

/** Rows of machines, and empty rooms of those that have none yet. */
export function roomsOf(
  { rooms, machines }: { readonly rooms: readonly MachineRoom[]; readonly machines: readonly Machine[] },
  records: ReadonlyMap<string, Machine> = new Map(machines.map((one) => [one.name, one])),
): Map<string, MachineRoom> {
  const found = new Map<string, MachineRoom>();
  for (const room of rooms) found.set(room.machine, sized(room, records.get(room.machine)));
  for (const machine of machines)
    if ((machine.status.state !== 'failed' || machine.leftovers.length > 0) && !found.has(machine.name))
      found.set(machine.name, emptyRoom(machine));
  return found;
}

/** Once the machine exists its own figures count, not those its size promised. */
function sized(room: MachineRoom, machine: Machine | undefined): MachineRoom {
  if (machine === undefined) return room;
  const { cpu, memory, gpu = 0 } = machine;
  if (cpu === room.cpu && memory === room.memory && gpu === (room.gpu ?? 0)) return room;
  const freeCpu = room.freeCpu + cpu - room.cpu;
  const freeMemory = room.freeMemory + memory - room.memory;
  return { ...room, cpu, memory, freeCpu, freeMemory, ...(gpu > 0 && { gpu }) };
}

const NO_GPUS: readonly number[] = [];

/** What a demand gets of a machine that it fits on; a port or GPUs that it has already stay its own. */
export function reservationOn(
  room: Pick<Candidate, 'machine' | 'ports' | 'nextPort' | 'gpu' | 'gpus'>,
  of: { readonly reservation: string; readonly group: string; readonly demand: Demand },
  has: { readonly port?: number | undefined; readonly gpus?: readonly number[] | undefined } | undefined,
): Reservation {
  const { cpu, memory, gpu = 0, fixed = [], set, wishes, follows } = of.demand;
  const port = has ? has.port : of.demand.port ? freePort(room.ports, room.nextPort) : undefined;
  const gpus = has?.gpus ?? (gpu > 0 ? freeGpuNumbers(room.gpu, room.gpus, gpu) : NO_GPUS);
  const made: Reservation = {
    reservation: of.reservation,
    machine: room.machine,
    group: of.group,
    cpu,
    memory,
  };
  if (port !== undefined) made.port = port;
  if (gpus.length > 0) made.gpus = [...gpus];
  if (fixed.length > 0) made.fixed = [...fixed];
  if (set !== undefined) made.set = set;
  if (wishes !== undefined) made.wishes = wishes;
  if (follows === true) made.follows = follows;
  return made;
}

/** What a reservation asks of any machine: the demand that it was made for. */
export const demandOfReservation = (one: Reservation): Demand => {
  const { cpu, memory, port, gpus = [], fixed, set, wishes, follows } = one;
  return { cpu, memory, port: port !== undefined, gpu: gpus.length, fixed, set, wishes, follows };
};
