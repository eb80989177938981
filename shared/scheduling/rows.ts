import { z } from 'zod';
import { MachineName } from '../model/names.ts';
import { tableKey } from '../state/key.ts';

/** Rows of table `capacity`: one partition a pool, so that what belongs together changes in one transaction. */
export const LIMITS_ROW = 'limits';
export const machineRow = (machine: string): string => `m!${machine}`;
export const reservationRow = (reservation: string): string => `r!${tableKey(reservation)}`;
/** Limits and machines, without reservations. */
export const MACHINES_RANGE = { from: LIMITS_ROW, to: 'm"' };
export const RESERVATIONS_RANGE = { from: 'r!', to: 'r"' };

/** What is left of a machine. Cores, MiB. */
export const MachineRoom = z.object({
  machine: MachineName,
  cpu: z.number(),
  memory: z.number(),
  freeCpu: z.number(),
  freeMemory: z.number(),
  ports: z.array(z.number().int()),
  nextPort: z.number().int(),
  /** Reservations of each service or job. */
  groups: z.record(z.string(), z.number().int()),
  /** Instance id of the orchestration whose need made the machine: it provisions it. */
  owner: z.string(),
  addedAt: z.iso.datetime(),
  /** The machine is about to be retired: nothing is placed there any more. */
  closed: z.boolean().optional(),
});
export type MachineRoom = z.infer<typeof MachineRoom>;

export const Reservation = z.object({
  /** Name of the container that it is for. */
  reservation: z.string(),
  machine: MachineName,
  group: z.string(),
  cpu: z.number(),
  memory: z.number(),
  port: z.number().int().optional(),
});
export type Reservation = z.infer<typeof Reservation>;

/** Changes with every machine that is added or removed, so that two who add one at a time see each other. */
export const Limits = z.object({ machines: z.number().int() });
export type Limits = z.infer<typeof Limits>;
