import { z } from 'zod';
import { ApplicationSpec } from './application.ts';
import { ApplicationName, EnvironmentName, JobName, ServiceName } from './names.ts';
import { PlanPins } from './plan.ts';

const environment = EnvironmentName.default(EnvironmentName.parse('dev'));
const base = {
  /** Chosen by the sender; the same id is the same command. Without it the message's own id serves. */
  id: z.string().min(1).max(256).optional(),
  environment,
};

const ofService = { application: ApplicationName, service: ServiceName };

/** What a queue message, a hook or the API may ask for. */
export const Command = z.discriminatedUnion('type', [
  z.strictObject({
    ...base,
    type: z.literal('deploy'),
    application: ApplicationSpec,
    /** Of a plan: it is deployed as planned, or not at all. */
    pins: PlanPins.optional(),
  }),
  z.strictObject({ ...base, type: z.literal('run-job'), application: ApplicationName, job: JobName }),
  z.strictObject({
    ...base,
    type: z.literal('scale'),
    application: ApplicationName,
    service: ServiceName,
    replicas: z.number().int().min(0).max(1000),
  }),
  z.strictObject({ ...base, type: z.literal('restart'), application: ApplicationName, service: ServiceName }),
  /** A command, once, in a container like those of the service's newest revision. */
  z.strictObject({
    ...base,
    ...ofService,
    type: z.literal('run-service'),
    command: z.array(z.string()).min(1).max(1000),
    /** Beside those of the service. */
    variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    /** Seconds. */
    timeout: z.number().int().min(1).max(86_400).default(3600),
    /** Whether it ends when nobody asks for it any more. */
    watched: z.boolean().default(false),
  }),
  /** Nothing more is started or stopped; what dies is made anew. */
  z.strictObject({ ...base, ...ofService, type: z.literal('pause-rollout') }),
  /** A canary's step or bake time is over with it. */
  z.strictObject({ ...base, ...ofService, type: z.literal('resume-rollout') }),
  /** Back to what served before. */
  z.strictObject({ ...base, ...ofService, type: z.literal('abort-rollout') }),
  z.strictObject({
    ...base,
    ...ofService,
    type: z.literal('undo-rollout'),
    /** Absent: the one before. */
    revision: z.number().int().positive().optional(),
  }),
]);
export type Command = z.infer<typeof Command>;
