import type { Command } from 'commander';
import { listJobs, listRuns } from '../../shared/api/routes/jobs.ts';
import type { RunStatus } from '../../shared/model/job.ts';
import { findPart } from '../names.ts';
import { ago, type Paint, table } from '../output.ts';
import { runJob } from '../run-job.ts';
import { type Session, withSession } from '../session.ts';

export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('containers that run to completion');
  jobs
    .command('list', { isDefault: true })
    .description('jobs, and when they are due')
    .argument('[application]', 'only of this application')
    .action((application: string | undefined, _options, command: Command) =>
      withSession(command, async ({ client, output, environment }) => {
        const { jobs: found } = await client.call(listJobs, {
          params: { environment },
          query: { application },
        });
        output.data(found, () =>
          table(
            ['JOB', 'IMAGE', 'SCHEDULE', 'NEXT'],
            found.map(({ key, spec, nextDue }) => [
              `${key.application}/${key.job}`,
              spec.image,
              spec.schedule && `${spec.schedule.cron} ${spec.schedule.timeZone}`,
              nextDue,
            ]),
            `No job is deployed in environment ${environment}.`,
          ),
        );
      }),
    );
  jobs
    .command('run')
    .description('runs a job once, shows its output and ends with its exit code')
    .argument('<job>', 'application/job, or the job alone where that is enough')
    .option('--no-wait', 'return when the run was accepted')
    .action((name: string, options: { wait: boolean }, command: Command) =>
      withSession(command, async (session) => {
        process.exitCode = await runJob(session, await jobNamed(session, name), options.wait);
      }),
    );
  jobs
    .command('runs')
    .description('runs of a job, the newest first')
    .argument('<job>', 'application/job, or the job alone where that is enough')
    .option('-n, --limit <count>', 'how many', Number, 20)
    .action((name: string, options: { limit: number }, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const { application, part: job } = await jobNamed(session, name);
        const { runs } = await client.call(listRuns, {
          params: { environment, application, job },
          query: { limit: options.limit },
        });
        output.data(runs, () =>
          table(
            ['RUN', 'AGE', 'ATTEMPT', 'MACHINE', 'STATE', 'CAUSE'],
            runs.map((run) => [
              run.id,
              ago(run.createdAt),
              run.attempt,
              run.machine,
              statusText(run.status, output.paint),
              run.cause,
            ]),
            `${application}/${job} has not run yet.`,
          ),
        );
      }),
    );
}

async function jobNamed({ client, environment }: Session, name: string) {
  const { jobs } = await client.call(listJobs, { params: { environment } });
  return findPart(
    name,
    jobs.map(({ key }) => ({ application: key.application, part: key.job })),
    'job',
  );
}

function statusText(status: RunStatus, paint: Paint): string {
  if (status.state === 'succeeded') return paint('green', 'succeeded');
  if (status.state !== 'failed') return paint('yellow', status.state);
  return paint(
    'red',
    status.exitCode === undefined ? `failed: ${status.code}` : `failed (${status.exitCode})`,
  );
}
