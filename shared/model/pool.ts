import { z } from 'zod';
import { TextValue } from './text-value.ts';
import { isCron, isTimeZone } from './time.ts';

/** publisher:offer:sku:version of the marketplace, or the resource id of an image. */
export const MachineImage = z
  .string()
  .regex(
    /^([^:/]+:[^:/]+:[^:/]+:[^:/]+|\/subscriptions\/.+\/images\/.+)$/,
    'expected publisher:offer:sku:version or an image resource id',
  );

/** A name of Azure's sizes; whether the region offers it is known when a machine is asked for. */
const MachineSize = z
  .string()
  .regex(/^Standard_[A-Za-z0-9_-]+$/, 'expected a size of Azure, for example Standard_B2s');

/** Whether a machine may be taken away by Azure at any time, for a lower price. */
export const Priority = z.enum(['regular', 'spot']);
export type Priority = z.infer<typeof Priority>;

/** Times in which a pool's minimum and maximum are others: office hours, the night's batch. */
export const PoolSchedule = z.strictObject({
  /** When it begins. */
  cron: z.string().refine(isCron, 'expected a cron expression of five fields, or six with seconds first'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'expected an IANA time zone, for example Europe/Berlin')
    .default('UTC'),
  /** Seconds that it lasts. */
  for: z.number().int().min(60).max(604_800),
  minimum: z.number().int().min(0).max(1000).optional(),
  maximum: z.number().int().min(0).max(1000).optional(),
});
export type PoolSchedule = z.infer<typeof PoolSchedule>;

/** Names under which Berth records machines that belong to no pool: made by hand, and those that become golden images. */
export const RESERVED_POOLS: ReadonlySet<string> = new Set(['by-hand', 'golden-images']);

/** Machines of a kind. */
export const PoolSpec = z.strictObject({
  /** Sizes in order of preference. */
  sizes: z.array(MachineSize).min(1).default(['Standard_B2s']),
  /** Zones in order of preference, between which machines are spread; none: Azure chooses. */
  zones: z.array(TextValue.pipe(z.enum(['1', '2', '3']))).default([]),
  image: MachineImage.default('Debian:debian-13:13-gen2:latest'),
  /** Whether machines boot from an image with engine and agent, which is captured once and renewed when it changes. */
  golden: z.boolean().default(false),
  /** `prefer`: spot where it is to be had, regular where not. */
  spot: z.enum(['never', 'prefer', 'only']).default('never'),
  minimum: z.number().int().min(0).max(1000).default(0),
  maximum: z.number().int().min(1).max(1000).default(3),
  /** Empty machines that are kept ready beyond those in use, within `maximum`. */
  spares: z.number().int().min(0).max(100).default(0),
  /** US dollars per hour that all machines of the pool may cost together; absent: only `maximum` counts. */
  hourlyLimit: z.number().positive().optional(),
  /** Given to each machine, for placement. */
  labels: z
    .record(z.string().regex(/^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$/), z.string().max(63))
    .default({}),
  /** Seconds that a machine without containers is kept beyond `minimum`. */
  idle: z.number().int().min(0).max(604_800).default(600),
  /** Seconds after which a machine is replaced by a new one; absent: never for its age. */
  expires: z.number().int().min(600).max(31_536_000).optional(),
  /** How many machines may be replaced at once for drift or age: a number, or a share such as `10%` (at least one). */
  budget: z
    .union([
      z.number().int().min(0).max(1000),
      z.string().regex(/^(100|[1-9]?\d)%$/, 'expected for example 10%'),
    ])
    .default(1),
  /** Seconds from asking Azure until the VM must exist, and from then until its engine must have reported. */
  launchWithin: z.number().int().min(30).max(3600).default(600),
  registerWithin: z.number().int().min(30).max(3600).default(600),
  schedule: z.array(PoolSchedule).max(20).default([]),
});
export type PoolSpec = z.infer<typeof PoolSpec>;
