import { Cron } from 'croner';
import { getRun, listJobs, listRuns, startRun } from '../../../shared/api/routes/jobs.ts';
import { type Job, type JobKey, jobId, type Run } from '../../../shared/model/job.ts';
import { all, placeOf, type Stores } from '../../../shared/workloads/stores.ts';
import { endpoint } from '../endpoint.ts';
import { acceptCommand } from './accept-command.ts';
import { notFound } from './not-found.ts';

async function jobAt({ jobs }: Stores, key: JobKey): Promise<Job> {
  const found = await jobs.get(...placeOf.job(key));
  if (found === undefined)
    throw notFound(
      'job',
      `${key.job} of application ${key.application} in environment ${key.environment}`,
      `List them: berth jobs list --environment ${key.environment}`,
    );
  return found.value;
}

export async function runAt({ runs }: Stores, key: JobKey, id: string): Promise<Run> {
  const found = await runs.get(...placeOf.run(key, id));
  if (found === undefined)
    throw notFound(
      'run',
      `${id} of job ${key.application}/${key.job} in environment ${key.environment}`,
      `List them: berth jobs runs ${key.application}/${key.job} --environment ${key.environment}`,
    );
  return found.value;
}

export const list = endpoint(listJobs, async ({ params, query, services }) => {
  const range =
    query.application === undefined ? {} : { from: `${query.application}.`, to: `${query.application}/` };
  const found = await all(services.stores.jobs.list({ partition: params.environment, ...range }));
  return { jobs: found.map((job) => ({ ...job, ...nextDue(job) })) };
});

function nextDue({ spec: { schedule } }: Job): { nextDue?: string } {
  if (schedule === undefined) return {};
  const due = new Cron(schedule.cron, { paused: true, timezone: schedule.timeZone }).nextRun();
  return due === null ? {} : { nextDue: due.toISOString() };
}

export const start = endpoint(
  startRun,
  async (call) => {
    await jobAt(call.services.stores, call.params);
    const { environment, application, job } = call.params;
    const runs = `/api/v1/environments/${environment}/jobs/${application}/${job}/runs`;
    const accepted = await acceptCommand(
      call,
      { type: 'run-job', environment, application, job },
      (instance) => `${runs}/${instance}`,
    );
    return { ...accepted, run: accepted.location.slice(runs.length + 1) };
  },
  { durable: true },
);

export const runs = endpoint(listRuns, async ({ params, query, services }) => {
  const rows = services.stores;
  const found = await all(rows.runs.list({ partition: jobId(params) }));
  // Runs of services have their name, and those of a job that was removed are known.
  if (found.length === 0) await jobAt(rows, params);
  found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return { runs: found.slice(0, query.limit) };
});

export const run = endpoint(getRun, ({ params, services }) => runAt(services.stores, params, params.run));
