import { z } from 'zod';
import { PoolName } from '../../model/names.ts';
import { PoolSpec } from '../../model/pool.ts';
import { route } from '../route.ts';

/** How a pool's attempts to get machines went since the last success. */
export const BreakerView = z.object({
  /** `open`: no machine is asked for until `until`; `half-open`: one at a time is. */
  state: z.enum(['closed', 'open', 'half-open']),
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** One after another. */
  failures: z.number().int(),
  /** Of the last one. */
  machine: z.string(),
  code: z.string(),
  reason: z.string(),
});
export type BreakerView = z.infer<typeof BreakerView>;

export const PoolView = z.object({
  name: PoolName,
  /** Absent: a pool that nobody wrote down, which goes by the defaults. */
  spec: PoolSpec.optional(),
  /** Limits in force, by its schedule where a window of it is open. */
  minimum: z.number().int(),
  maximum: z.number().int(),
  /** Windows of its schedule that are open. */
  windows: z.number().int(),
  machines: z.object({
    /** Those that count against its maximum. */
    total: z.number().int(),
    byState: z.record(z.string(), z.number().int()),
    /** On which something is reserved. */
    used: z.number().int(),
  }),
  /** US dollars per hour of its machines, as far as prices are known; without disks. */
  hourly: z.number(),
  hourlyLimit: z.number().optional(),
  /** Absent: nothing failed since the last success. */
  breaker: BreakerView.optional(),
  /** Why it gets no machine now, though its maximum would let it. */
  resting: z.string().optional(),
});
export type PoolView = z.infer<typeof PoolView>;

export const PoolDetails = PoolView.extend({
  /** What its next machine may be, most preferred first. */
  offerings: z.array(
    z.object({
      size: z.string(),
      zone: z.string().optional(),
      priority: z.enum(['regular', 'spot']),
      cpu: z.number(),
      /** MiB. */
      memory: z.number(),
      hourly: z.number().optional(),
    }),
  ),
  /** What it may not be now, and why. */
  passed: z.array(z.object({ offering: z.string(), reason: z.string() })),
});
export type PoolDetails = z.infer<typeof PoolDetails>;

const ofPool = z.object({ pool: PoolName });

export const listPools = route({
  name: 'list-pools',
  method: 'GET',
  path: '/api/v1/pools',
  permission: 'machines.read',
  summary: 'Pools: their machines, limits, cost, and whether they rest after failures.',
  answer: z.object({ pools: z.array(PoolView) }),
});

export const getPool = route({
  name: 'get-pool',
  method: 'GET',
  path: '/api/v1/pools/{pool}',
  permission: 'machines.read',
  summary: 'A pool, with what its next machine may be and what Azure would refuse.',
  params: ofPool,
  answer: PoolDetails,
});

export const resetPool = route({
  name: 'reset-pool',
  method: 'POST',
  path: '/api/v1/pools/{pool}/reset',
  permission: 'machines.operate',
  summary:
    'Forgets failures of a pool and what Azure refused of its sizes: machines are asked for again at once, within its limits.',
  params: ofPool,
  answer: PoolView,
});
