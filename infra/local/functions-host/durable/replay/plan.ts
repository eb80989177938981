import type { FailureDetails, HistoryEvent } from '../history.ts';

/** Something that an orchestration has just scheduled; `id` is its sequence number. */
export type Scheduled =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: string }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAt: string }
  | {
      readonly kind: 'child';
      readonly id: number;
      readonly name: string;
      readonly version: string;
      readonly instanceId: string;
      readonly input: string | null;
    }
  | {
      readonly kind: 'message';
      readonly id: number;
      /** Of the entity. */
      readonly target: string;
      readonly name: 'op' | 'release';
      /** JSON text. */
      readonly input: string;
    };

export type Completion =
  | { readonly status: 'Completed'; readonly output: string | null }
  | {
      readonly status: 'Failed';
      readonly reason: string;
      readonly details: string;
      readonly failureDetails: FailureDetails | null;
    }
  | { readonly status: 'Terminated'; readonly reason: string | null }
  | {
      readonly status: 'ContinuedAsNew';
      readonly input: string | null;
      /** Raised after the orchestrator went on: they belong to its next execution. */
      readonly carried: readonly HistoryEvent[];
    };

export interface Plan {
  /** What history does not know yet, by sequence number. */
  readonly scheduled: readonly Scheduled[];
  readonly completion: Completion | undefined;
  /** Sequence numbers still awaited: activities, children, timers that were not cancelled. */
  readonly open: ReadonlySet<number>;
  readonly suspended: boolean;
  /** The next free sequence number. */
  readonly nextId: number;
}

/** The orchestrator did not schedule what its history says it had. */
export class NonDeterministic extends Error {
  override readonly name = 'NonDeterministic';
}
