import { z } from 'zod';

/** How far a rollout is, as people are told. */
export const RolloutView = z.object({
  strategy: z.enum(['rolling', 'blue-green', 'canary']),
  /** Replicas of the new revision, healthy and in all; and healthy ones of others. */
  healthy: z.number().int(),
  wanted: z.number().int(),
  others: z.number().int(),
  /** Of a canary, from 1. */
  step: z.object({ number: z.number().int(), of: z.number().int(), percent: z.number().int() }).optional(),
  /** What it waits for. */
  waits: z.string(),
});
export type RolloutView = z.infer<typeof RolloutView>;
