import { z } from 'zod';
import { MachineName } from './names.ts';
import { ServiceKey } from './service.ts';

/** One thing that keeps a service or replica from what is wanted, or explains where it is. */
export const Reason = z.object({
  /** Stable: `no-room`, `container-exited`, `image-not-pushed`, … */
  code: z.string(),
  message: z.string(),
  /** Ways in which it would be well, each alone enough. */
  wouldHelp: z.array(z.string()),
  exitCode: z.number().int().optional(),
  /** What the container said last. */
  lastLines: z.array(z.string()).optional(),
});
export type Reason = z.infer<typeof Reason>;

export const ReplicaReasons = z.object({
  slot: z.number().int(),
  /** `<slot>.g<generation>`; absent where there is no replica. */
  replica: z.string().optional(),
  machine: MachineName.optional(),
  /** As its record has it; `missing` without one. */
  state: z.string(),
  reasons: z.array(Reason),
});
export type ReplicaReasons = z.infer<typeof ReplicaReasons>;

/** Why a service is as it is. */
export const WhyService = z.object({
  key: ServiceKey,
  wanted: z.number().int(),
  healthy: z.number().int(),
  /** Of the service as a whole. */
  reasons: z.array(Reason),
  replicas: z.array(ReplicaReasons),
});
export type WhyService = z.infer<typeof WhyService>;
