import type { EventBody, HistoryEvent } from './history.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Terminated' | 'Suspended';

export const finished = (status: RuntimeStatus): boolean =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated';

/** Where a child's answer goes. */
export interface Parent {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
}

export interface Head {
  readonly name: string;
  readonly version: string;
  readonly executionId: string;
  readonly status: RuntimeStatus;
  /** Turns of this execution so far. */
  readonly turn: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly parent: Parent | undefined;
  /** JSON text. */
  readonly input: string | null;
  readonly output: string | null;
  readonly customStatus: string | null;
}

/** Something still to be done; it stays in the table until it is. */
export type Obligation =
  | { readonly kind: 'activity'; readonly taskId: number; readonly name: string; readonly input: string }
  | { readonly kind: 'timer'; readonly taskId: number; readonly fireAt: string }
  | {
      readonly kind: 'child';
      readonly taskId: number;
      readonly name: string;
      readonly version: string;
      readonly instanceId: string;
      readonly input: string | null;
      readonly parent: Parent;
    }
  /** To an entity. `id` makes a second delivery harmless. */
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly target: string;
      readonly message: EntityMessage;
    }
  /** To an orchestration: a child's answer, an entity's answer. Stale if the execution is over. */
  | {
      readonly kind: 'answer';
      readonly instanceId: string;
      readonly executionId: string;
      readonly event: EventBody;
    }
  /** The next turn of this very instance, with what was not taken yet. */
  | { readonly kind: 'turn'; readonly events: readonly HistoryEvent[] };

/** Begins with an obligation of a partition: an orchestration's or an entity's. */
export type Dispatch = (id: string, row: string, obligation: Obligation) => void;

export interface EntityMessage {
  readonly name: 'op' | 'release';
  /** JSON text. */
  readonly input: string;
}

/** An orchestration as the table has it. */
export interface Instance {
  readonly id: string;
  readonly head: Head;
  readonly etag: string;
  /** Of this execution, all played. */
  readonly history: readonly HistoryEvent[];
  /** Of this execution, by row. */
  readonly obligations: ReadonlyMap<string, Obligation>;
  /** Rows of this execution's history, and of executions that are over. */
  readonly rows: readonly string[];
}

const number = (value: number): string => String(value).padStart(6, '0');

export const historyRow = (executionId: string, turn: number): string => `h!${executionId}!${number(turn)}`;

/** `name`: a sequence number, or what there is only one of. */
export const obligationRow = (executionId: string, name: number | string): string =>
  `o!${executionId}!${typeof name === 'number' ? number(name) : name}`;
