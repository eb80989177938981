import { z } from 'zod';
import {
  type Revision,
  Revision as RevisionSchema,
  type Service,
  ServiceKey,
  templateOf,
} from '../model/service.ts';
import { signature } from '../model/signature.ts';
import type { Desired } from './next-steps.ts';
import type { Failure, Observed, ObservedReplica } from './observed.ts';

/** Replicas that travel in an orchestration's input; more are looked up by its first activity. */
export const MOST_IN_INPUT = 30;

export const RollOut = z.object({
  key: ServiceKey,
  /** Where to go. */
  revision: RevisionSchema,
  proven: z.boolean(),
  serving: z.object({ revision: z.number().int(), count: z.number().int() }).optional(),
  /** `<source> <id>` of the event. */
  cause: z.string(),
  /** What is known already; absent: look first. */
  observed: z.custom<Observed>().optional(),
  /** A rollout that failed and now makes sure of what served before. */
  failure: z.custom<Failure>().optional(),
});
export type RollOut = z.infer<typeof RollOut>;

export type RolledOut =
  | { readonly state: 'done' }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'superseded' };

/** Brings one service to one revision; instance id: that of the event. */
export const rollOut = signature('roll-out', { input: RollOut, output: z.custom<RolledOut>() });

export const desiredOf = ({ revision, proven, serving }: RollOut): Desired => ({
  revision: templateOf(revision),
  count: revision.spec.replicas,
  proven,
  deadline: revision.spec.health.deadline * 1000,
  serving,
});

/** The input of a rollout to `revision`, given the newest healthy one. */
export function rollOutOf(
  service: Service,
  revision: Revision,
  healthy: Revision | undefined,
  cause: string,
  replicas?: readonly ObservedReplica[],
): RollOut {
  const proven = healthy !== undefined && templateOf(healthy) === templateOf(revision);
  const few = replicas !== undefined && replicas.length <= MOST_IN_INPUT;
  return {
    key: service.key,
    revision,
    proven,
    ...(healthy !== undefined &&
      !proven && { serving: { revision: templateOf(healthy), count: healthy.spec.replicas } }),
    cause,
    ...(few && { observed: { replicas, coming: [] } }),
  };
}

/** The revision that shall run now: the accepted one, or after it failed the one before that was healthy. */
export function effectiveRevision(service: Service): number | undefined {
  return service.rollout.state === 'failed' ? service.healthyRevision : service.revision;
}
