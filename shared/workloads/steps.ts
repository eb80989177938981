import type { ProvisionMachine } from '../machines/provisioning.ts';
import type { Failure, Moment, ReplicaId } from './observed.ts';

/** What a rollout can do next, by name. */
export interface StepArguments {
  /** Reserve room, pull, create, start. `replaces` is cleared away first. */
  'start-replica': ReplicaId & {
    readonly failures: number;
    readonly replaces?: ReplicaId;
    /** Machines that did not answer. */
    readonly avoid: readonly string[];
  };
  /** Ask for its health for a few seconds. */
  'check-replica': ReplicaId;
  /** Stop and remove the container, release its room, delete its row. */
  'stop-replica': ReplicaId;
  /** Have the machine made, and wait for it. */
  'provision-machine': { readonly machine: string; readonly request: ProvisionMachine };
  /** Somebody else has the machine made: look whether it is ready. */
  'await-machine': { readonly machine: string };
  wait: { readonly until: Moment };
  /** Every new replica is healthy: from here on the new revision is what serves, and what dies of it is replaced. */
  promote: object;
  /** The rollout cannot succeed: from here on its replicas are taken away. */
  'give-up': { readonly failure: Failure };
}

/** Distributive, so that a step's name and its arguments belong together. */
export type Step = {
  [Name in keyof StepArguments]: { readonly step: Name; readonly reason: string } & StepArguments[Name];
}[keyof StepArguments];
export type StepOf<Name extends Step['step']> = Extract<Step, { step: Name }>;

export type Next =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'finish'; readonly failure?: Failure };
