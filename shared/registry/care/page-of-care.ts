import type { CarePage, CareTotals } from '../../model/care-run.ts';
import { type RetainParts, retain } from '../retention/retain.ts';
import type { RunStore } from './run-store.ts';
import type { StepInput, StepResult } from './step.ts';
import { gcSteps } from './steps.ts';
import { totalsOf } from './totals.ts';

export interface PageParts extends RetainParts {
  readonly runs: RunStore;
}

/** Does one page of a run, and keeps what it found. Doing a page again does what is left of it. */
export async function pageOfCare(
  parts: PageParts,
  { order, phase, cursor, page }: CarePage,
): Promise<{ cursor?: string | undefined; totals: CareTotals }> {
  const input: StepInput = { order, startedAt: new Date(order.startedAt), cursor };
  const done = await step(parts, phase, input);
  await parts.runs.keep(order.run, page, done.findings);
  return { cursor: done.cursor, totals: totalsOf(done.findings) };
}

const step = (parts: PageParts, phase: CarePage['phase'], input: StepInput): Promise<StepResult> =>
  phase === 'retain' ? retain(parts, input) : gcSteps[phase](parts, input);
