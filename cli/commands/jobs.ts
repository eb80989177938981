import type { Command } from 'commander';
import { listJobs, listRuns, readRunLogs } from '../../shared/api/routes/jobs.ts';
import { listServices } from '../../shared/api/routes/services.ts';
import type { RunStatus } from '../../shared/model/job.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { requireApplication } from '../known-application.ts';
import { findPart } from '../names.ts';
import { ago, harmless, type Paint, table } from '../output.ts';
import { readLog } from '../read-log.ts';
import { runJob } from '../run-job.ts';
import { type Session, withSession } from '../session.ts';
import { wholeNumber } from '../whole-number.ts';

export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('containers that run to completion');
  jobs
    .command('list', { isDefault: true })
    .description('jobs, and when they are due')
    .argument('[application]', 'only of this application')
    .action((application: string | undefined, _options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const { jobs: found } = await client.call(listJobs, {
          params: { environment },
          query: { application },
        });
        if (found.length === 0) await requireApplication(session, application);
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
    .description('runs of a job, or of commands of a service, the newest first')
    .argument('<job>', 'application/job, or the job or service alone where that is enough')
    .option('-n, --limit <count>', 'how many', wholeNumber, 20)
    .action((name: string, options: { limit: number }, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const { application, part: job } = await runnerNamed(session, name);
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
  jobs
    .command('logs')
    .description('what a run wrote, also long after its end')
    .argument('<job>', 'application/job, or the job or service alone where that is enough')
    .argument('[run]', 'its id, or the beginning of it; the newest if left out')
    .option('-f, --follow', 'stay until it has ended')
    .action((name: string, id: string | undefined, options: { follow?: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment, interrupted } = session;
        const { application, part: job } = await runnerNamed(session, name);
        const of = { environment, application, job };
        const { runs } = await client.call(listRuns, { params: of, query: { limit: 1000 } });
        const run = runs.find((one) => id === undefined || one.id.startsWith(id));
        if (run === undefined)
          throw new Failure({
            code: 'run-not-found',
            message: `${application}/${job} has no run ${id ?? 'yet'}.`,
            remedy: `List them: berth jobs runs ${application}/${job}`,
            exitCode: exitCodes.notFound,
          });
        const filling = { params: { ...of, run: run.id }, query: { follow: options.follow } };
        for await (const line of readLog(client, readRunLogs, filling, interrupted))
          output.piece({ run: run.id, ...line }, `${harmless(line.text)}\n`);
      }),
    );
}

/** A job, or a service: what `berth run` and steps before rollouts ran has a service's name. */
async function runnerNamed(session: Session, name: string) {
  const { client, environment } = session;
  const [{ jobs }, { services }] = await Promise.all([
    client.call(listJobs, { params: { environment } }),
    client.call(listServices, { params: { environment } }),
  ]);
  const known = [
    ...jobs.map(({ key }) => `${key.application}/${key.job}`),
    ...services.map(({ key }) => `${key.application}/${key.service}`),
  ];
  const parts = [...new Set(known)].map((one) => {
    const [application = '', part = ''] = one.split('/');
    return { application, part };
  });
  return findPart(name, parts, 'job');
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
