import { z } from 'zod';
import { MachineName, PoolName } from '../model/names.ts';
import { Revision, ServiceKey } from '../model/service.ts';
import { signature } from '../model/signature.ts';
import type { Failure } from './observed.ts';
import type { CheckOutcome, MachineOutcome, ObserveOutcome, StartOutcome, StopOutcome } from './outcomes.ts';

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
  input: z.object({ ...owned, replica: id, spec: z.custom<Revision['spec']>() }),
  output: z.custom<CheckOutcome>(),
});

export const stopReplica = signature('stop-replica', {
  input: z.object({ ...owned, replica: id }),
  output: z.custom<StopOutcome>(),
});

export const observeService = signature('observe-service', {
  input: z.object(owned),
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
    /** The service is left to its next event; otherwise this orchestration goes on with it. */
    release: z.boolean(),
  }),
  output: z.custom<RecordOutcome>(),
});

export type RecordOutcome =
  /** `previous`: the revision that served before one that failed. */
  { readonly outcome: 'recorded'; readonly previous?: Revision } | { readonly outcome: 'superseded' };

export type Input<S> = S extends { input: z.ZodType<infer I> } ? I : never;
export type StartReplica = Input<typeof startReplica>;
export type CheckReplica = Input<typeof checkReplica>;
export type StopReplica = Input<typeof stopReplica>;
export type ObserveService = Input<typeof observeService>;
export type AwaitMachine = Input<typeof awaitMachine>;
export type RecordRollout = Input<typeof recordRollout>;
