import { z } from 'zod';
import { ApplicationName, MachineName } from '../../model/names.ts';
import { ServiceKey } from '../../model/service.ts';
import { inEnvironment } from '../parameters.ts';
import { route } from '../route.ts';

/** Counters since the container began: of two answers the difference is what was used between them. */
export const ReplicaUsage = z.object({
  key: ServiceKey,
  replica: z.string(),
  machine: MachineName,
  /** Absent where the machine does not answer, or the container does not run. */
  usage: z
    .object({
      time: z.string(),
      /** Seconds of one core. */
      cpu: z.number(),
      /** Bytes; the limit is 0 without one. */
      memory: z.number(),
      memoryLimit: z.number(),
      received: z.number(),
      sent: z.number(),
    })
    .optional(),
});
export type ReplicaUsage = z.infer<typeof ReplicaUsage>;

export const readUsage = route({
  name: 'read-usage',
  method: 'GET',
  path: '/api/v1/environments/{environment}/usage',
  permission: 'applications.read',
  summary: 'What the replicas of an environment use, asked of their engines at this moment.',
  params: inEnvironment,
  query: z.strictObject({ application: ApplicationName.optional() }),
  answer: z.object({
    replicas: z.array(ReplicaUsage),
    /** What containers may use of the machines that carry these replicas: cores, and MiB. */
    machines: z.array(z.object({ name: MachineName, cpu: z.number(), memory: z.number() })),
  }),
});
