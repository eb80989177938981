import { z } from 'zod';
import { RolloutPolicy } from '../model/rollout-policy.ts';
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
import type { Progress } from './pace.ts';
import { volumesOf } from './volumes.ts';

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
  /** What serves, where a rollout that rests has to look after it. */
  previous: RevisionSchema.optional(),
  /** How far an earlier orchestration of this rollout came. */
  progress: z.custom<Progress>().optional(),
  /** Nothing goes on: somebody paused it, or it failed and its policy lets everything stand. */
  hold: z.enum(['paused', 'stopped']).optional(),
  /** Somebody ended it: it is taken back. */
  abort: z.custom<Failure>().optional(),
  epoch: z.number().int().optional(),
});
export type RollOut = z.infer<typeof RollOut>;

export type RolledOut =
  | { readonly state: 'done' }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'paused'; readonly reason: string }
  | { readonly state: 'superseded' };

/** Brings one service to one revision; instance id: that of the event. */
export const rollOut = signature('roll-out', { input: RollOut, output: z.custom<RolledOut>() });

/** Two of one port are never on one machine, and a volume has one writer: an old replica goes before a new one comes. */
const OLD_FIRST = RolloutPolicy.parse({ surge: 0, unavailable: 1 });

export function desiredOf({ revision, proven, serving, progress, hold, epoch }: RollOut): Desired {
  const { spec } = revision;
  const { restart, dependsOn = [], before, ports = [] } = spec;
  const isAlone = ports.length > 0 || volumesOf(spec).length > 0;
  const rollout = spec.rollout ?? (isAlone ? OLD_FIRST : undefined);
  const last = rollout?.deadline;
  return {
    revision: templateOf(revision),
    count: spec.replicas,
    proven,
    deadline: spec.health.deadline * 1000,
    serving,
    ...(rollout && { policy: rollout }),
    ...(last && { until: Date.parse(revision.acceptedAt) + last * 1000 + (progress?.paused ?? 0) }),
    ...(hold && { hold }),
    ...(restart && { restart }),
    ...(dependsOn.length > 0 && { dependsOn }),
    ...(before && { before: true }),
    ...(epoch && { epoch }),
  };
}

/** The input of a rollout to `revision`, given the newest healthy one. */
export function rollOutOf(
  service: Service,
  revision: Revision,
  healthy: Revision | undefined,
  cause: string,
  replicas?: readonly ObservedReplica[],
): RollOut {
  const proven = healthy !== undefined && templateOf(healthy) === templateOf(revision);
  const looks = revision.spec.mode === 'one-per-machine';
  const few = replicas !== undefined && replicas.length <= MOST_IN_INPUT && !looks;
  const progress = progressOf(service, revision);
  const hold = holdOf(service);
  const rests = hold !== undefined || revision.spec.rollout !== undefined;
  return {
    key: service.key,
    revision,
    proven,
    ...(healthy !== undefined &&
      !proven && { serving: { revision: templateOf(healthy), count: healthy.spec.replicas } }),
    cause,
    ...(few && { observed: { replicas, coming: [], ...(progress && { progress }) } }),
    ...(rests && healthy !== undefined && !proven && { previous: healthy }),
    ...(progress && { progress }),
    ...(hold && { hold }),
    ...(service.epoch !== undefined && { epoch: service.epoch }),
  };
}

/** How far the rollout of this revision came. */
function progressOf({ progress }: Service, { number }: Revision): Progress | undefined {
  if (progress?.revision !== number) return undefined;
  const { revision: _, ...rest } = progress;
  return rest;
}

/** A canary's step and a revision that bakes may still fail: they are no rest. */
function holdOf({ rollout }: Service): RollOut['hold'] {
  if (rollout.state === 'paused' && rollout.why === 'asked') return 'paused';
  return rollout.state === 'failed' && rollout.stopped === true ? 'stopped' : undefined;
}

/** The revision that shall run now: the accepted one, or after it failed the one before that was healthy. */
export function effectiveRevision({ rollout, revision, healthyRevision }: Service): number | undefined {
  return rollout.state === 'failed' && rollout.stopped !== true ? healthyRevision : revision;
}
