import { z } from 'zod';
import { MachineName, PoolName, ServiceName } from '../model/names.ts';
import { Revision, ServiceKey } from '../model/service.ts';
import { signature } from '../model/signature.ts';
import type { Failure } from './observed.ts';
import type {
  BeforeOutcome,
  CheckOutcome,
  DependenciesOutcome,
  MachineOutcome,
  NoteOutcome,
  ObserveOutcome,
  StartOutcome,
  StopOutcome,
  SwitchOutcome,
} from './outcomes.ts';
import type { Progress } from './pace.ts';
import type { Pause } from './steps.ts';

const id = z.object({
  revision: z.number().int().positive(),
  slot: z.number().int().min(0),
  generation: z.number().int().min(1),
});
/** Which service, and the orchestration that must own it still. */
const owned = { key: ServiceKey, owner: z.string() };

export const startReplica = signature('start-replica', {
  input: z.object({
    ...owned,
    revision: Revision,
    slot: z.number().int().min(0),
    generation: z.number().int().min(1),
    failures: z.number().int().min(0),
    replaces: id.optional(),
    avoid: z.array(z.string()),
    cause: z.string(),
  }),
  output: z.custom<StartOutcome>(),
});

export const checkReplica = signature('check-replica', {
  input: z.object({
    ...owned,
    replica: id,
    spec: z.custom<Revision['spec']>(),
    /** It is not its turn to get requests. */
    standby: z.boolean().optional(),
  }),
  output: z.custom<CheckOutcome>(),
});

export const stopReplica = signature('stop-replica', {
  input: z.object({ ...owned, replica: id }),
  output: z.custom<StopOutcome>(),
});

export const observeService = signature('observe-service', {
  input: z.object({
    ...owned,
    /** Of a service that runs once on each machine: what it is to be. */
    follows: z.object({ template: z.number().int(), spec: z.custom<Revision['spec']>() }).optional(),
  }),
  output: z.custom<ObserveOutcome>(),
});

/** Waits a while for a machine that another orchestration has made. */
export const awaitMachine = signature('await-machine', {
  input: z.object({ pool: PoolName, machine: MachineName }),
  output: z.custom<MachineOutcome>(),
});

export const recordRollout = signature('record-rollout', {
  input: z.object({
    ...owned,
    revision: z.number().int().positive(),
    failure: z.custom<Failure>().optional(),
    /** Everything stays as it is, though it failed. */
    stopped: z.boolean().optional(),
    /** The service is left to its next event; otherwise this orchestration goes on with it. */
    release: z.boolean(),
  }),
  output: z.custom<RecordOutcome>(),
});

export type RecordOutcome =
  /** `previous`: the revision that served before one that failed; `epoch`: of what is made for it. */
  | { readonly outcome: 'recorded'; readonly previous?: Revision; readonly epoch?: number | undefined }
  | { readonly outcome: 'superseded' };

/** Has requests go to some replicas and no longer to others, at one moment. */
export const switchReplicas = signature('switch-replicas', {
  input: z.object({ ...owned, serve: z.array(id), rest: z.array(id) }),
  output: z.custom<SwitchOutcome>(),
});

/** Keeps how far a rollout is in its service's row; with `pause` the service is left to whoever resumes it. */
export const noteProgress = signature('note-progress', {
  input: z.object({
    ...owned,
    revision: z.number().int().positive(),
    progress: z.custom<Progress>().optional(),
    pause: z.custom<Pause>().optional(),
  }),
  output: z.custom<NoteOutcome>(),
});

/** Waits a while for the services that one depends on. */
export const awaitDependencies = signature('await-dependencies', {
  input: z.object({ ...owned, dependsOn: z.array(ServiceName) }),
  output: z.custom<DependenciesOutcome>(),
});

/** Has the step before a rollout run once, and waits a while for its end. */
export const awaitBefore = signature('await-before', {
  input: z.object({ ...owned, revision: Revision }),
  output: z.custom<BeforeOutcome>(),
});

export type Input<S> = S extends { input: z.ZodType<infer I> } ? I : never;
export type StartReplica = Input<typeof startReplica>;
export type CheckReplica = Input<typeof checkReplica>;
export type StopReplica = Input<typeof stopReplica>;
export type ObserveService = Input<typeof observeService>;
export type AwaitMachine = Input<typeof awaitMachine>;
export type RecordRollout = Input<typeof recordRollout>;
export type SwitchReplicas = Input<typeof switchReplicas>;
export type NoteProgress = Input<typeof noteProgress>;
export type AwaitDependencies = Input<typeof awaitDependencies>;
export type AwaitBefore = Input<typeof awaitBefore>;
