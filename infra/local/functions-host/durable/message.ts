import type { HistoryEvent } from './history.ts';
import type { Parent } from './instance.ts';

/** A new execution that somebody asks for. */
export interface Start {
  readonly name: string;
  readonly version: string;
  /** JSON text. */
  readonly input: string | null;
  readonly parent: Parent | undefined;
}

/** taken: it is in the table now. The others changed nothing. */
export type Outcome = 'taken' | 'missing' | 'finished' | 'active' | 'stale';

/** What waits in memory for an orchestration's next turn. */
export interface Message {
  readonly start?: Start;
  readonly events: readonly HistoryEvent[];
  /** The execution it is meant for; any if absent. */
  readonly executionId?: string;
  /** The row it fulfils: if that is gone, this is a duplicate. */
  readonly fulfils?: string;
  /** An event's name can come once only: entity answers. */
  readonly once?: boolean;
  readonly settle: (outcome: Outcome) => void;
  /** Storage failed. Without it the message is tried again until it succeeds. */
  readonly fail?: (error: unknown) => void;
}
