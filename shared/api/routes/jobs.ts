import { z } from 'zod';
import { Job, Run } from '../../model/job.ts';
import { ApplicationName } from '../../model/names.ts';
import { Accepted } from '../accepted.ts';
import { LogEvent } from '../log-stream.ts';
import { inEnvironment, logQuery, ofJob, ofRun } from '../parameters.ts';
import { route } from '../route.ts';

const list = '/api/v1/environments/{environment}/jobs' as const;
const one = `${list}/{application}/{job}` as const;

export const JobView = Job.extend({
  /** When its schedule is due next. */
  nextDue: z.iso.datetime().optional(),
});
export type JobView = z.infer<typeof JobView>;

export const listJobs = route({
  name: 'list-jobs',
  method: 'GET',
  path: list,
  permission: 'applications.read',
  summary: 'The jobs of an environment, or of one application in it.',
  params: inEnvironment,
  query: z.strictObject({ application: ApplicationName.optional() }),
  answer: z.object({ jobs: z.array(JobView) }),
});

export const startRun = route({
  name: 'start-run',
  method: 'POST',
  path: `${one}/runs`,
  permission: 'jobs.run',
  summary: 'Runs a job once.',
  params: ofJob,
  status: 202,
  answer: Accepted.extend({
    /** Id of the run: the same request again, with the same Idempotency-Key, is the same run. */
    run: z.string(),
  }),
});

export const listRuns = route({
  name: 'list-runs',
  method: 'GET',
  path: `${one}/runs`,
  permission: 'applications.read',
  summary: 'Runs of a job, the newest first.',
  params: ofJob,
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(50) }),
  answer: z.object({ runs: z.array(Run) }),
});

export const getRun = route({
  name: 'get-run',
  method: 'GET',
  path: `${one}/runs/{run}`,
  permission: 'applications.read',
  summary: 'One run of a job.',
  params: ofRun,
  answer: Run,
});

export const readRunLogs = route({
  name: 'read-run-logs',
  method: 'GET',
  path: `${one}/runs/{run}/logs`,
  permission: 'logs.read',
  summary: 'Log lines of a run, as server-sent events.',
  params: ofRun,
  query: logQuery,
  answerType: 'text/event-stream',
  answer: LogEvent,
});
