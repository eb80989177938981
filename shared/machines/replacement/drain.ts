import { z } from 'zod';
import { MachineName } from '../../model/names.ts';
import { signature } from '../../model/signature.ts';

export const DrainMachine = z.object({ machine: MachineName });
export type DrainMachine = z.infer<typeof DrainMachine>;

export type DrainLook =
  /** It is not drained any more, or gone. */
  | { readonly state: 'over' }
  /** Nothing is on it; it is being retired if its cordon says so. */
  | { readonly state: 'drained' }
  /** What is on it, and when to look again; milliseconds. */
  | { readonly state: 'waiting'; readonly left: readonly string[]; readonly pause: number };

/**
 * One look at a machine that is drained: asks the services that have replicas there to move them, stops runs of jobs
 * whose time is over, and has it retired when nothing is left.
 */
export const lookAtDrain = signature('look-at-drain', {
  input: z.object({ machine: MachineName, looks: z.number().int().min(0) }),
  output: z.custom<DrainLook>(),
});

/** Follows a machine until nothing is on it; instance id `drain-<machine>`. */
export const drainMachine = signature('drain-machine', {
  input: DrainMachine,
  output: z.object({ state: z.enum(['over', 'drained', 'failed']) }),
});

export const drainId = (machine: MachineName): string => `drain-${machine}`;
