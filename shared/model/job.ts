import { z } from 'zod';
import { JobSpec } from './application.ts';
import { Digest } from './image.ts';
import { ApplicationName, EnvironmentName, JobName, MachineName } from './names.ts';

export const JobKey = z.object({ environment: EnvironmentName, application: ApplicationName, job: JobName });
export type JobKey = z.infer<typeof JobKey>;
export const jobId = (key: JobKey): string => `${key.environment}.${key.application}.${key.job}`;

export const Job = z.object({
  key: JobKey,
  spec: JobSpec,
  /** Time of the event that brought `spec`. A schedule owes no runs from before it. */
  specAt: z.iso.datetime({ offset: true }),
  /** The newest due time that was made an event. */
  lastDue: z.iso.datetime().optional(),
});
export type Job = z.infer<typeof Job>;

export const RunStatus = z.discriminatedUnion('state', [
  z.object({ state: z.literal('pending') }),
  z.object({ state: z.literal('running'), since: z.iso.datetime() }),
  z.object({ state: z.literal('succeeded'), at: z.iso.datetime(), lastLines: z.array(z.string()) }),
  z.object({
    state: z.literal('failed'),
    at: z.iso.datetime(),
    code: z.string(),
    reason: z.string(),
    exitCode: z.number().int().optional(),
    lastLines: z.array(z.string()),
  }),
]);
export type RunStatus = z.infer<typeof RunStatus>;

/** One execution of a job. Its id is that of the orchestration, so one event makes one run. */
export const Run = z.object({
  id: z.string(),
  key: JobKey,
  spec: JobSpec,
  digest: Digest.optional(),
  attempt: z.number().int().min(1),
  machine: MachineName.optional(),
  cause: z.string(),
  createdAt: z.iso.datetime(),
  /** It is to end then, unless whoever watches it asks for more time; absent: nobody needs to. */
  watchedUntil: z.iso.datetime().optional(),
  status: RunStatus,
});
export type Run = z.infer<typeof Run>;
