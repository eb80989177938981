import type { CareOrder, Finding } from '../../model/care-run.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';

/** What garbage collection works with. */
export interface CareParts {
  readonly blobs: Blobs;
  readonly tables: Tables;
  readonly now: () => Date;
}

export interface StepInput {
  readonly order: CareOrder;
  readonly startedAt: Date;
  /** Where the page before ended; undefined for the first. */
  readonly cursor: string | undefined;
}

/** One page of a phase: it may be done twice. */
export interface StepResult {
  /** Where the next page begins; undefined after the last. */
  readonly cursor: string | undefined;
  readonly findings: readonly Finding[];
}

export type Step<P = CareParts> = (parts: P, input: StepInput) => Promise<StepResult>;

/** Deletions and reads of a page that are under way at once. */
export const WIDTH = 16;
