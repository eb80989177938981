import { z } from 'zod';
import { ServiceSpec } from './application.ts';
import { Digest } from './image.ts';
import { ApplicationName, EnvironmentName, MachineName, ServiceName } from './names.ts';

/** Names one service of one application in one environment. */
export const ServiceKey = z.object({
  environment: EnvironmentName,
  application: ApplicationName,
  service: ServiceName,
});
export type ServiceKey = z.infer<typeof ServiceKey>;

/** `dev.hello.web`: how a service is written in keys, labels and messages. */
export const serviceId = (key: ServiceKey): string => `${key.environment}.${key.application}.${key.service}`;

/** How the rollout of a revision ended. */
const RevisionEnd = z.object({
  state: z.enum(['done', 'failed']),
  at: z.iso.datetime(),
  code: z.string().optional(),
  reason: z.string().optional(),
});

/** One accepted specification of a service; never changed once written, but for how its rollout ended. */
export const Revision = z.object({
  key: ServiceKey,
  /** 1, 2, 3, … for each service. */
  number: z.number().int().positive(),
  spec: ServiceSpec,
  /** What spec.image meant when the revision was accepted. */
  digest: Digest,
  /**
   * The revision whose containers serve this one too, since it differs from it only in the number of replicas; absent if
   * it has containers of its own.
   */
  template: z.number().int().positive().optional(),
  /** `<source> <id>` of the event that brought it; the same event never makes a second revision. */
  cause: z.string(),
  acceptedAt: z.iso.datetime(),
  /** Absent while its rollout goes on, and if another one came before its end. */
  ended: RevisionEnd.optional(),
});
export type Revision = z.infer<typeof Revision>;

/** The revision number that a revision's containers carry. */
export const templateOf = (revision: Pick<Revision, 'number' | 'template'>): number =>
  revision.template ?? revision.number;

export const RolloutStatus = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting-for-image') }),
  z.object({
    state: z.literal('rolling'),
    /** What it waits for, where that takes long. */
    waits: z.string().optional(),
  }),
  /** Nothing goes on before somebody, or the sweep at `until`, resumes it; what died is still made anew. */
  z.object({
    state: z.literal('paused'),
    at: z.iso.datetime(),
    /** Who asked for it, the step of a canary, or the time in which the new revision bakes. */
    why: z.enum(['asked', 'step', 'bake']),
    reason: z.string(),
    until: z.iso.datetime().optional(),
    /** `<source> <id>` of the event that asked for it. */
    cause: z.string().optional(),
  }),
  z.object({ state: z.literal('done'), at: z.iso.datetime() }),
  z.object({
    state: z.literal('failed'),
    at: z.iso.datetime(),
    code: z.string(),
    reason: z.string(),
    exitCode: z.number().int().optional(),
    /** The failed container's last lines, at most 50. */
    lastLines: z.array(z.string()).optional(),
    /** Everything stays as it was when it failed: its policy says `onFailure: stop`. */
    stopped: z.boolean().optional(),
  }),
]);
export type RolloutStatus = z.infer<typeof RolloutStatus>;

/** How far a rollout is, beyond what its replicas say; times are milliseconds since 1970. */
const RolloutProgress = z.object({
  revision: z.number().int().positive(),
  stage: z.number().int().min(0),
  stageSince: z.number().optional(),
  bakeUntil: z.number().optional(),
  paused: z.number().optional(),
  served: z.number().int().min(0).optional(),
});

/** An image that was not accepted, since the policies of its repository demand more than was found of it. */
export const RefusedImage = z.object({
  digest: Digest,
  /** What is missing, one sentence each. */
  reasons: z.array(z.string()),
  /** Names the rules that refused it: others may not. */
  rules: z.string(),
  /** `<source> <id>` of the event that brought it. */
  cause: z.string(),
  at: z.iso.datetime(),
});
export type RefusedImage = z.infer<typeof RefusedImage>;

/** The row that owns a service: what is wanted, what serves, how the way there goes. */
export const Service = z.object({
  key: ServiceKey,
  /** As last deployed; what is wanted when the next image arrives. */
  spec: ServiceSpec,
  /** Time of the event that brought `spec`: an older event that arrives late does not replace it. */
  specAt: z.iso.datetime({ offset: true }),
  /** The newest accepted revision; absent until its image was pushed. */
  revision: z.number().int().positive().optional(),
  /** The newest revision whose rollout was done: what keeps serving when a later one fails. */
  healthyRevision: z.number().int().positive().optional(),
  /** The revision that `revision` names; written here first, since one row changes at once, then to table `revisions`. */
  accepted: Revision.optional(),
  /** No longer in its application: goes to no replicas, then this row goes too. */
  removing: z.boolean().default(false),
  rollout: RolloutStatus,
  progress: RolloutProgress.optional(),
  /** Grows with every orchestration of the service; no generation of a replica that it makes is lower. */
  epoch: z.number().int().optional(),
  /** The image that `spec` means, while it is refused: what was accepted before it goes on. */
  refused: RefusedImage.optional(),
  /** Instance id of the orchestration that carries the rollout. */
  owner: z.string().optional(),
});
export type Service = z.infer<typeof Service>;

export const ReplicaStatus = z.discriminatedUnion('state', [
  z.object({ state: z.literal('reserved') }),
  z.object({ state: z.literal('running'), since: z.iso.datetime() }),
  z.object({ state: z.literal('healthy'), since: z.iso.datetime() }),
  /** Healthy, but not its turn to get requests: a rollout has others serve. */
  z.object({ state: z.literal('standby'), since: z.iso.datetime() }),
  z.object({
    state: z.literal('unhealthy'),
    since: z.iso.datetime(),
    reason: z.string(),
    /** Its liveness check says so: it is replaced, not waited for. */
    dead: z.boolean().optional(),
  }),
  z.object({
    state: z.literal('exited'),
    at: z.iso.datetime(),
    exitCode: z.number().int(),
    lastLines: z.array(z.string()),
  }),
  z.object({ state: z.literal('lost'), at: z.iso.datetime() }),
]);
export type ReplicaStatus = z.infer<typeof ReplicaStatus>;

/** One container of a revision (its template's number). Slot 0 … count-1; generation grows with each container made for the slot. */
export const Replica = z.object({
  key: ServiceKey,
  revision: z.number().int().positive(),
  slot: z.number().int().min(0),
  generation: z.number().int().min(1),
  machine: MachineName,
  /** Private address of the machine, empty until it has one; and the port there, absent if the service has none. */
  address: z.string(),
  port: z.number().int().optional(),
  /** Numbers of the machine's GPUs that are its own. */
  gpus: z.array(z.number().int()).optional(),
  containerId: z.string().optional(),
  /** Versions of the secrets that its container was given. */
  secrets: z.record(z.string(), z.number().int()).optional(),
  /** Its own address in its environment's network; absent if it is in none. */
  containerAddress: z.string().optional(),
  /** How many containers of this slot and revision ended early, one after the other, before this one. */
  failures: z.number().int().min(0).default(0),
  status: ReplicaStatus,
});
export type Replica = z.infer<typeof Replica>;

/** Name of the container, unique on all machines: repeating a start finds what the first made. */
export const containerName = (replica: Pick<Replica, 'key' | 'revision' | 'slot' | 'generation'>): string =>
  `${serviceId(replica.key)}.r${replica.revision}.${replica.slot}.g${replica.generation}`;
