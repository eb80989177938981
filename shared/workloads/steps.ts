import type { ProvisionMachine } from '../machines/provisioning.ts';
import type { Failure, Moment, ReplicaId } from './observed.ts';
import type { Progress } from './pace.ts';

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
  'check-replica': ReplicaId & {
    /** It is not its turn yet: once it is healthy it waits for the switch. */
    readonly standby?: boolean;
  };
  /** Stop and remove the container, release its room, delete its row. */
  'stop-replica': ReplicaId;
  /** Have the machine made, and wait for it. */
  'provision-machine': { readonly machine: string; readonly request: ProvisionMachine };
  /** Somebody else has the machine made: look whether it is ready. */
  'await-machine': { readonly machine: string };
  /** Requests go to `serve` from now on, and no longer to `rest`, which run on. */
  'switch-replicas': { readonly serve: readonly ReplicaId[]; readonly rest: readonly ReplicaId[] };
  /** Look whether the services that this one depends on are healthy. */
  'await-dependencies': object;
  /** Have the step before the rollout run, if it did not yet, and wait for its end. */
  'await-before': object;
  /** Keep how far the rollout is. */
  'note-progress': { readonly progress: Progress };
  /** `look`: what was seen before is not believed after it. */
  wait: { readonly until: Moment; readonly look?: boolean };
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
  | { readonly kind: 'finish'; readonly failure?: Failure }
  /** Nothing is to be done before somebody, or the sweep at `until`, lets it go on. */
  | { readonly kind: 'pause'; readonly pause: Pause };

export interface Pause {
  /** `asked`: by somebody; `step`: a canary's; `bake`: the new revision serves, and may still fail. */
  readonly why: 'asked' | 'step' | 'bake';
  readonly reason: string;
  readonly until?: Moment | undefined;
}
