import { z } from 'zod';
import { MachineName } from '../model/names.ts';
import { tableKey } from '../state/key.ts';
import { Wishes } from './demand.ts';

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
  /** Reservations of each service or job, and of each revision of a service. */
  groups: z.record(z.string(), z.number().int()),
  /** The same of those that follow the machines, and hold none. */
  agents: z.record(z.string(), z.number().int()).optional(),
  /** Groups that something there does not want beside it, and how many there do not. */
  repels: z.record(z.string(), z.number().int()).optional(),
  /** Its GPUs, and the numbers of those that are taken. */
  gpu: z.number().int().optional(),
  gpus: z.array(z.number().int()).optional(),
  /** Ports of the machine that are some service's own: `53/udp`. */
  fixed: z.array(z.string()).optional(),
  /** What it was to be when it was added; its record says what it is. */
  size: z.string().optional(),
  zone: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** Conditions on its size and zone of what was placed there before it was made: it is made so that they hold. */
  wants: z.array(z.string()).optional(),
  /** Instance id of the orchestration whose need made the machine: it provisions it. */
  owner: z.string(),
  addedAt: z.iso.datetime(),
  /** US dollars per hour that it may cost; absent where no table of prices knows it. */
  hourly: z.number().optional(),
  /** What it is was decided, and Azure is asked for it or was: it counts whatever the pool's maximum becomes. */
  claimed: z.boolean().optional(),
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
  /** Numbers of the machine's GPUs. */
  gpus: z.array(z.number().int()).optional(),
  fixed: z.array(z.string()).optional(),
  set: z.string().optional(),
  wishes: Wishes.optional(),
  follows: z.literal(true).optional(),
});
export type Reservation = z.infer<typeof Reservation>;

/**
 * Changes with every machine that is added, claimed or removed, so that two who do so at a time see each other.
 * `hourly`: US dollars that all may cost together, as far as it is known.
 */
export const Limits = z.object({ machines: z.number().int(), hourly: z.number().default(0) });
export type Limits = z.infer<typeof Limits>;
