import type { ProvisionMachine } from '../machines/provisioning.ts';
import type { Failure, Moment, ObservedReplica, Phase } from './observed.ts';

/** The service belongs to another orchestration, or is gone: nothing was done, and nothing is to be done. */
export type Superseded = { readonly outcome: 'superseded' };

/** What came of a `start-replica`. Expected refusals are data: an orchestration does not catch them. */
export type StartOutcome =
  | { readonly outcome: 'started'; readonly machine: string; readonly at: Moment }
  /** Room is reserved on a machine that is on its way; `provision`: it is this orchestration that has it made. */
  | {
      readonly outcome: 'machine-coming';
      readonly machine: string;
      readonly provision?: ProvisionMachine | undefined;
    }
  | { readonly outcome: 'no-room'; readonly reason: string; readonly at: Moment }
  /** The engine did not answer; the reservation stays. */
  | {
      readonly outcome: 'unreachable';
      readonly machine: string;
      readonly reason: string;
      readonly at: Moment;
    }
  /** Image, registry or engine say no for good; nothing is left of the replica. */
  | { readonly outcome: 'refused'; readonly failure: Failure; readonly at?: Moment }
  | Superseded;

export type CheckOutcome =
  | { readonly outcome: 'observed'; readonly state: Phase; readonly failures: number }
  | Superseded;
export type StopOutcome = { readonly outcome: 'stopped' } | Superseded;
export type MachineOutcome =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'coming' }
  | { readonly outcome: 'failed'; readonly failure: Failure };
export type ObserveOutcome =
  | {
      readonly outcome: 'observed';
      readonly replicas: readonly ObservedReplica[];
      /** Machines of theirs that are drained. */
      readonly leaving: readonly string[];
      /** Of a service that runs once on each machine. */
      readonly slots?: readonly number[];
    }
  | Superseded;

export type SwitchOutcome = { readonly outcome: 'switched' } | Superseded;
export type NoteOutcome = { readonly outcome: 'noted' } | Superseded;
export type DependenciesOutcome =
  | { readonly outcome: 'healthy' }
  | { readonly outcome: 'waiting'; readonly reason: string; readonly at: Moment }
  | Superseded;
/** Of the step before a rollout. */
export type BeforeOutcome =
  | { readonly outcome: 'running' }
  | { readonly outcome: 'succeeded' }
  | { readonly outcome: 'failed'; readonly failure: Failure }
  | Superseded;
