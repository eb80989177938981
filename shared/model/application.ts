import { z } from 'zod';
import { checkContents } from './check-contents.ts';
import { checkDependencies } from './check-dependencies.ts';
import { checkRoutes } from './check-routes.ts';
import { containerOptions } from './container-options.ts';
import { ConfigSpec, ContentName, fileUses, SecretSpec } from './files.ts';
import { checkHealth, HealthCheck } from './health-check.ts';
import { parseImageReference } from './image.ts';
import { ApplicationName, JobName, PoolName, ServiceName } from './names.ts';
import { FixedPort, Mode, PlacementSpec } from './placement.ts';
import { placementIssues } from './placement-issues.ts';
import { PoolSpec, RESERVED_POOLS } from './pool.ts';
import { RestartPolicy, RolloutPolicy } from './rollout-policy.ts';
import { MOST_ROUTES, RouteSpec } from './route.ts';
import { sidecarSpec } from './sidecar.ts';
import { TextValue } from './text-value.ts';
import { isCron, isTimeZone } from './time.ts';
import { VolumeSpec, volumeUses } from './volume.ts';

export { HealthCheck };

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
  /** Whole GPUs of the machine, which nothing else then has. */
  gpu: z.number().int().min(0).max(64).optional(),
});
export type Resources = z.infer<typeof Resources>;

const common = {
  image: imageReference,
  command: z.array(z.string()).min(1).optional(),
  environment: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z_][A-Za-z0-9_.-]*$/,
          'expected a letter or an underscore, then letters, digits, underscores, dots and hyphens',
        ),
      TextValue,
    )
    .default({}),
  resources: Resources.default(Resources.parse({})),
};

const container = {
  ...common,
  pool: PoolName.default(PoolName.parse('default')),
  placement: PlacementSpec.optional(),
  ...containerOptions,
  ...fileUses,
};

export const SidecarSpec = sidecarSpec(common);
export type SidecarSpec = z.infer<typeof SidecarSpec>;

/** A one-off container of the new revision: its environment, resources and pool. */
export const BeforeStep = z.strictObject({
  command: z.array(z.string()).min(1),
  /** Absent: the service's own. */
  image: imageReference.optional(),
  /** Seconds. */
  timeout: z.number().positive().max(86_400).default(600),
});
export type BeforeStep = z.infer<typeof BeforeStep>;

export const ServiceSpec = z.strictObject({
  ...container,
  replicas: z.number().int().min(0).max(1000).default(1),
  mode: Mode.optional(),
  /** The container's port. The machine's port is chosen by Berth. */
  port: z.number().int().min(1).max(65535).optional(),
  /** Ports of the machine that are the service's own, wherever it runs. */
  ports: z.array(FixedPort).max(100).optional(),
  health: HealthCheck.superRefine(checkHealth).default(HealthCheck.parse({})),
  /** Host names and paths under which the ingress leads to it. */
  routes: z.array(RouteSpec).max(MOST_ROUTES).optional(),
  /** Seconds between SIGTERM and SIGKILL. */
  stopGrace: z.number().min(0).max(600).default(10),
  rollout: RolloutPolicy.optional(),
  /** Absent: always. */
  restart: RestartPolicy.optional(),
  /** Runs once to its end, and has to succeed, before the first container of a new revision. */
  before: BeforeStep.optional(),
  /** Services of the application that have to be healthy before a new revision of this one starts. */
  dependsOn: z.array(ServiceName).max(100).optional(),
  ...volumeUses,
  sidecars: z.record(ServiceName, SidecarSpec).optional(),
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
export const ApplicationSpec = z
  .strictObject({
    name: ApplicationName,
    services: z
      .record(ServiceName, ServiceSpec)
      .superRefine(checkRoutes)
      .superRefine(checkDependencies)
      .superRefine(placementIssues)
      .default({}),
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
    volumes: z.record(ContentName, VolumeSpec).default({}),
    configs: z.record(ContentName, ConfigSpec).default({}),
    secrets: z.record(ContentName, SecretSpec).default({}),
  })
  .superRefine(checkContents);
export type ApplicationSpec = z.infer<typeof ApplicationSpec>;
