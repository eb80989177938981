import type { ProvisionMachine } from '../machines/provisioning.ts';
import type { Replica } from '../model/service.ts';
import type { Progress } from './pace.ts';

/** Times are milliseconds since 1970, so that they pass through orchestration history as they are. */
export type Moment = number;

/** Why something was given up: a stable code, words, and what a container said last. */
export interface Failure {
  readonly code: string;
  readonly reason: string;
  readonly exitCode?: number;
  readonly lastLines?: readonly string[];
}

export interface ReplicaId {
  readonly revision: number;
  readonly slot: number;
  readonly generation: number;
}

export type Phase =
  /** Room is reserved on a machine; no container yet. `tries`: starts there that the engine did not answer. */
  | { readonly phase: 'placed'; readonly tries: number; readonly retryAt: Moment }
  /** Started; health unknown. */
  | { readonly phase: 'running'; readonly since: Moment }
  /** `standby`: it is not its turn to get requests. */
  | { readonly phase: 'healthy'; readonly since: Moment; readonly standby?: boolean }
  /** `dead`: its liveness check says that waiting does not help. */
  | { readonly phase: 'unhealthy'; readonly since: Moment; readonly reason: string; readonly dead?: boolean }
  | {
      readonly phase: 'exited';
      readonly at: Moment;
      readonly exitCode: number;
      readonly lastLines: readonly string[];
      readonly wasHealthy: boolean;
    }
  /** Its machine is gone or silent. */
  | { readonly phase: 'lost' };

/** What is known of one replica. `failures`: containers of its slot that ended early in a row, itself included. */
export type ObservedReplica = ReplicaId & {
  readonly machine: string;
  readonly failures: number;
  readonly state: Phase;
};

/** A machine that replicas wait for. `provision`: this rollout has it made; otherwise another orchestration does. */
export type ComingMachine = {
  readonly name: string;
  readonly provision?: ProvisionMachine | undefined;
  readonly failure?: Failure;
};

export interface Observed {
  readonly replicas: readonly ObservedReplica[];
  readonly coming: readonly ComingMachine[];
  /** Machines that are drained: what is there is to move elsewhere. */
  readonly leaving?: readonly string[];
  /** Of a service that runs once on each machine: the slots of those that there are. */
  readonly slots?: readonly number[];
  /** No machine had room, and none may be added; `code`: it was refused for another reason. */
  readonly shortage?: {
    readonly since: Moment;
    readonly retryAt: Moment;
    readonly reason: string;
    readonly code?: string;
  };
  /** Every replica of the new revision was healthy at once, so that the old ones may go: there is no way back by halves. */
  readonly promoted?: boolean;
  /** How far the rollout is. */
  readonly progress?: Progress | undefined;
  /** What has to be before its first replica starts. */
  readonly gates?: Gates | undefined;
  /** This rollout was given up. */
  readonly failure?: Failure;
}

export interface Gates {
  /** `true`: they are healthy. Otherwise since when which are waited for. */
  readonly dependencies?: true | { readonly since: Moment; readonly reason: string };
  readonly before?: true;
}

/** Replicas that hold, or may hold, a container that runs. */
export const isLive = (replica: ObservedReplica): boolean =>
  replica.state.phase !== 'exited' && replica.state.phase !== 'lost';

export const sameReplica = (a: ReplicaId, b: ReplicaId): boolean =>
  a.revision === b.revision && a.slot === b.slot && a.generation === b.generation;

/** What a replica's row says. */
export function observedOf(replica: Replica): ObservedReplica {
  const { revision, slot, generation, machine, failures, status } = replica;
  const base = { revision, slot, generation, machine, failures };
  switch (status.state) {
    case 'reserved':
      return { ...base, state: { phase: 'placed', tries: 0, retryAt: 0 } };
    case 'running':
    case 'healthy':
      return { ...base, state: { phase: status.state, since: Date.parse(status.since) } };
    case 'standby':
      return { ...base, state: { phase: 'healthy', since: Date.parse(status.since), standby: true } };
    case 'unhealthy':
      return {
        ...base,
        state: {
          phase: 'unhealthy',
          since: Date.parse(status.since),
          reason: status.reason,
          ...(status.dead && { dead: true }),
        },
      };
    case 'exited':
      return {
        ...base,
        state: {
          phase: 'exited',
          at: Date.parse(status.at),
          exitCode: status.exitCode,
          lastLines: status.lastLines,
          wasHealthy: false,
        },
      };
    case 'lost':
      return { ...base, state: { phase: 'lost' } };
  }
}
