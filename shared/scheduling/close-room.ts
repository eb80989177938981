import type { Machine } from '../model/machine.ts';
import { documents } from '../state/documents.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { emptyRoom } from './room.ts';
import { MachineRoom, machineRow, RESERVATIONS_RANGE, Reservation } from './rows.ts';

const TABLE = 'capacity';

/** Machines, of all pools, on which something is reserved that holds them: not what runs once on each. */
export async function reservedMachines(tables: Tables): Promise<Set<string>> {
  const machines = new Set<string>();
  for await (const { value } of documents(tables, TABLE, Reservation).list(RESERVATIONS_RANGE))
    if (value.follows !== true) machines.add(value.machine);
  return machines;
}

/** What is reserved on the machines of a pool. */
export async function reservationsOf(pool: string, tables: Tables): Promise<readonly Reservation[]> {
  const found: Reservation[] = [];
  for await (const { value } of documents(tables, TABLE, Reservation).list({
    partition: pool,
    ...RESERVATIONS_RANGE,
  }))
    found.push(value);
  return found;
}

/**
 * Lets nothing be placed on a machine any more, if nothing holds it: reservations change the same row, so one of both wins.
 * @returns false if something is reserved there
 */
export async function closeRoom(tables: Tables, machine: Machine): Promise<boolean> {
  const rooms = documents(tables, TABLE, MachineRoom);
  const row = machineRow(machine.name);
  try {
    const found = await rooms.get(machine.pool, row);
    if (found === undefined) await rooms.insert(machine.pool, row, { ...emptyRoom(machine), closed: true });
    else if (Object.keys(found.value.groups).length > 0) return false;
    else await rooms.replace(found, { ...found.value, closed: true });
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

/**
 * Lets nothing more be placed on a machine, or lets it be again, whatever is there now. A machine that is chosen at the
 * same moment is chosen before: reservations change the same row.
 */
export async function setClosed(tables: Tables, machine: Machine, closed: boolean): Promise<void> {
  await documents(tables, TABLE, MachineRoom).update(machine.pool, machineRow(machine.name), (room) => {
    if (room === undefined) return closed ? { ...emptyRoom(machine), closed } : undefined;
    if ((room.closed ?? false) === closed) return undefined;
    const { closed: _, ...open } = room;
    return closed ? { ...open, closed } : open;
  });
}
