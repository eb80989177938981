import { z } from 'zod';
import { route } from '../route.ts';

export const Status = z.object({
  version: z.string(),
  /** The server's clock. */
  time: z.iso.datetime(),
  /** host or host:port of the API and of the registry: images are pushed to `<registry>/<repository>:<tag>`. */
  registry: z.string(),
  location: z.string(),
  caller: z.object({ id: z.string(), roles: z.array(z.string()) }),
  services: z.object({
    total: z.number().int(),
    /** By state of their rollouts. */
    rollouts: z.record(z.string(), z.number().int()),
  }),
  replicas: z.object({ wanted: z.number().int(), byState: z.record(z.string(), z.number().int()) }),
  machines: z.object({ total: z.number().int(), byState: z.record(z.string(), z.number().int()) }),
  /** Pools that get no machine now since some failed, and why. */
  restingPools: z.array(z.object({ pool: z.string(), reason: z.string() })).default([]),
});
export type Status = z.infer<typeof Status>;

export const getStatus = route({
  name: 'get-status',
  method: 'GET',
  path: '/api/v1/status',
  permission: 'status.read',
  summary: 'What there is, in numbers, and who is asking.',
  answer: Status,
});

export const getOpenApi = route({
  name: 'get-openapi',
  method: 'GET',
  path: '/api/v1/openapi.json',
  permission: 'anyone',
  summary: 'This description.',
  answer: z.record(z.string(), z.unknown()),
});
