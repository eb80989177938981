import { z } from 'zod';
import { JobKey, Run, RunStatus } from '../model/job.ts';
import { MachineName } from '../model/names.ts';
import { signature } from '../model/signature.ts';
import type { Failure } from './observed.ts';
import type { StartOutcome } from './outcomes.ts';

/** One execution of a job; instance id: that of the run. */
export const RunJob = z.object({
  run: Run,
  /** Set where a long run goes on with a new history: when it has to be over, milliseconds since 1970. */
  deadline: z.number().optional(),
});
export type RunJob = z.infer<typeof RunJob>;

export const runJob = signature('run-job', {
  input: RunJob,
  output: z.custom<{ readonly state: 'succeeded' | 'failed' | 'superseded' }>(),
});

const runId = { key: JobKey, id: z.string(), attempt: z.number().int().min(1) };

/** Reserves, pulls, creates and starts one attempt. `superseded`: the run has ended already. */
export const startRun = signature('start-run', {
  input: z.object({ run: Run }),
  output: z.custom<StartOutcome>(),
});

export type WaitOutcome =
  | { readonly outcome: 'running' }
  | { readonly outcome: 'ended'; readonly exitCode: number; readonly lastLines: readonly string[] }
  /** Its container or machine is gone. */
  | { readonly outcome: 'lost'; readonly reason: string };

/** Waits for the end of an attempt, for at most a minute. */
export const waitForRun = signature('wait-for-run', {
  input: z.object({ ...runId, machine: MachineName, milliseconds: z.number().min(0) }),
  output: z.custom<WaitOutcome>(),
});

/** How long one wait lasts, of the milliseconds that are left. */
export const waitTime = (left: number): number => Math.min(left, 50_000);

export const RunEnd = z.object({
  ...runId,
  pool: z.string(),
  /** Written to the run after its container is gone; its last lines are read from the container if it has none. */
  status: RunStatus,
});
export type RunEnd = z.infer<typeof RunEnd>;

/** Removes the container of an attempt, releases its room and records how the run stands. */
export const endRun = signature('end-run', { input: RunEnd, output: z.null() });

/** How an attempt failed, as its run records it. */
export const failedStatus = (failure: Failure, at: string): RunStatus => ({
  state: 'failed',
  at,
  code: failure.code,
  reason: failure.reason,
  ...(failure.exitCode !== undefined && { exitCode: failure.exitCode }),
  lastLines: [...(failure.lastLines ?? [])],
});

/** Milliseconds before room is looked for again, each pause longer than the one before. @param waits before it */
export const roomPause = (waits: number): number => Math.min(15_000, Math.round(5_000 * 1.2 ** waits));
