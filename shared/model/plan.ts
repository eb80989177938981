import { z } from 'zod';
import { ApplicationSpec } from './application.ts';
import { Digest } from './image.ts';
import { ApplicationName, EnvironmentName } from './names.ts';

/** One key that differs; values that may be secret are hidden. */
export const FieldChange = z.object({
  path: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  before: z.string().optional(),
  after: z.string().optional(),
});
export type FieldChange = z.infer<typeof FieldChange>;

export const PartChange = z.object({
  kind: z.enum(['service', 'job', 'pool', 'volume', 'config', 'secret']),
  name: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  fields: z.array(FieldChange),
  /** What becomes of what runs; a sentence. */
  effect: z.string(),
});
export type PartChange = z.infer<typeof PartChange>;

/** Where a replica would go, as the machines are now. */
export const PlannedReplica = z.object({
  service: z.string(),
  slot: z.number().int(),
  /** Where one of its slot runs now. */
  from: z.string().optional(),
  /** Absent: there is no room, and `reason` says why. */
  machine: z.string().optional(),
  reason: z.string(),
});
export type PlannedReplica = z.infer<typeof PlannedReplica>;

/** A machine that would be made. */
export const PlannedMachine = z.object({
  /** Stands for it in `placement`: its name is chosen when it is made. */
  name: z.string(),
  pool: z.string(),
  size: z.string().optional(),
  zone: z.string().optional(),
  /** US dollars. */
  hourly: z.number().optional(),
});
export type PlannedMachine = z.infer<typeof PlannedMachine>;

/** The state that a plan was made on: whatever of it is another by then makes the plan void. */
export const PlanBase = z.object({
  /** When the application was deployed last; null: it is not there. */
  application: z.string().nullable(),
  /** By name, as short texts that are compared. */
  services: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), z.string()),
  pools: z.record(z.string(), z.string()),
});
export type PlanBase = z.infer<typeof PlanBase>;

/** What a deployment is held to: exactly this, on exactly this state. */
export const PlanPins = z.strictObject({
  base: PlanBase,
  /** What the image of each service meant; null: it was not in the registry. */
  digests: z.record(z.string(), Digest.nullable()),
});
export type PlanPins = z.infer<typeof PlanPins>;

/** What a deployment would do. */
export const DeploymentPlan = z.strictObject({
  format: z.literal('berth-plan-1'),
  environment: EnvironmentName,
  application: ApplicationName,
  madeAt: z.iso.datetime(),
  /** Nothing would change. */
  empty: z.boolean(),
  changes: z.array(PartChange),
  placement: z.array(PlannedReplica),
  machines: z.array(PlannedMachine),
  /** US dollars of the pools concerned, as far as prices are known; `idle`: after machines that become empty are gone. */
  hourly: z.object({ before: z.number(), after: z.number(), idle: z.number() }),
  warnings: z.array(z.string()),
  pins: PlanPins,
  /** What is deployed; it holds the environment's variables as they were written. */
  spec: ApplicationSpec,
});
export type DeploymentPlan = z.infer<typeof DeploymentPlan>;
