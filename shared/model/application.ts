import { z } from 'zod';
import { parseImageReference } from './image.ts';
import { ApplicationName, JobName, PoolName, ServiceName } from './names.ts';
import { PoolSpec, RESERVED_POOLS } from './pool.ts';
import { isCron, isTimeZone } from './time.ts';

const imageReference = z.string().superRefine((text, context) => {
  try {
    parseImageReference(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

/** Whole cores may be shared: 0.25 is a quarter of one. Memory is in MiB. */
export const Resources = z.strictObject({
  cpu: z.number().positive().max(1024).default(0.1),
  memory: z.number().int().min(6).default(64),
});
export type Resources = z.infer<typeof Resources>;

/** Durations are seconds. */
export const HealthCheck = z.strictObject({
  /** HTTP GET of this path on the service's port must answer 2xx or 3xx; without it, the TCP port must accept. */
  path: z.string().startsWith('/').optional(),
  interval: z.number().positive().max(3600).default(1),
  timeout: z.number().positive().max(3600).default(2),
  /** How long a starting replica may take until its first success. */
  deadline: z.number().positive().max(3600).default(30),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

const container = {
  image: imageReference,
  command: z.array(z.string()).min(1).optional(),
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.coerce.string()).default({}),
  resources: Resources.default(Resources.parse({})),
  pool: PoolName.default(PoolName.parse('default')),
};

export const ServiceSpec = z.strictObject({
  ...container,
  replicas: z.number().int().min(0).max(1000).default(1),
  /** The container's port. The machine's port is chosen by Berth. */
  port: z.number().int().min(1).max(65535).optional(),
  health: HealthCheck.default(HealthCheck.parse({})),
  /** Seconds between SIGTERM and SIGKILL. */
  stopGrace: z.number().min(0).max(600).default(10),
});
export type ServiceSpec = z.infer<typeof ServiceSpec>;

export const ScheduleSpec = z.strictObject({
  /** Five fields, or six with seconds first. */
  cron: z.string().refine(isCron, 'expected a cron expression of five fields, or six with seconds first'),
  /** An IANA zone. */
  timeZone: z
    .string()
    .refine(isTimeZone, 'expected an IANA time zone, for example Europe/Berlin')
    .default('UTC'),
});
export type ScheduleSpec = z.infer<typeof ScheduleSpec>;

export const JobSpec = z.strictObject({
  ...container,
  schedule: ScheduleSpec.optional(),
  /** Seconds that a run may take. */
  timeout: z.number().positive().max(86_400).default(600),
  /** Further attempts after a failed one. */
  retries: z.number().int().min(0).max(10).default(0),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** berth.yaml. */
export const ApplicationSpec = z.strictObject({
  name: ApplicationName,
  services: z.record(ServiceName, ServiceSpec).default({}),
  jobs: z.record(JobName, JobSpec).default({}),
  pools: z
    .record(PoolName, PoolSpec)
    .superRefine((pools, context) => {
      for (const name of Object.keys(pools))
        if (RESERVED_POOLS.has(name))
          context.addIssue({
            code: 'custom',
            path: [name],
            message: 'Berth keeps this name for machines of its own: expected another name for the pool',
          });
      for (const [name, { minimum, maximum }] of Object.entries(pools))
        if (minimum > maximum)
          context.addIssue({
            code: 'custom',
            path: [name, 'minimum'],
            message: `expected at most the maximum of ${maximum}, found ${minimum}`,
          });
    })
    .default({}),
});
export type ApplicationSpec = z.infer<typeof ApplicationSpec>;
