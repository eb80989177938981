import { setTimeout as sleep } from 'node:timers/promises';
import { getRun, readRunLogs, startRun } from '../shared/api/routes/jobs.ts';
import type { Run } from '../shared/model/job.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { PartName } from './names.ts';
import { readLog } from './read-log.ts';
import type { Session } from './session.ts';

/**
 * Starts a run and, if told to wait, passes its output on: the container's stdout to ours, its stderr to ours.
 * @returns the exit code to end with: the container's own, or 1 if it never had one
 */
export async function runJob(
  session: Session,
  { application, part: job }: PartName,
  wait: boolean,
): Promise<number> {
  const { client, output, environment, interrupted } = session;
  const accepted = await client.call(startRun, { params: { environment, application, job } });
  const { run: id } = accepted;
  if (!wait) {
    output.data(accepted, () => accepted.location);
    return exitCodes.ok;
  }
  output.say(`${application}/${job}: run ${id}`);
  const params = { environment, application, job, run: id };
  const read = () => runIfThere(session, params);

  let run = await until(
    read,
    interrupted,
    (found) => found !== undefined && found.status.state !== 'pending',
  );
  if (run !== undefined)
    for await (const line of readLog(client, readRunLogs, { params, query: { follow: true } }, interrupted)) {
      if (output.json) output.piece({ line }, '');
      else (line.stream === 'stderr' ? process.stderr : process.stdout).write(`${line.text}\n`);
    }
  run = await until(
    read,
    interrupted,
    (found) => found?.status.state === 'succeeded' || found?.status.state === 'failed',
  );
  if (run === undefined)
    throw new Failure({
      code: 'interrupted',
      message: `No longer waiting; run ${id} goes on.`,
      remedy: `Look at it: berth jobs runs ${application}/${job} --environment ${environment}`,
      exitCode: exitCodes.failed,
    });
  if (output.json) output.piece({ run }, '');
  if (run.status.state !== 'failed') return exitCodes.ok;
  output.say(`${application}/${job}: ${run.status.code}: ${run.status.reason}`);
  return run.status.exitCode === undefined || run.status.exitCode === 0
    ? exitCodes.failed
    : run.status.exitCode;
}

/** The run's row comes a moment after the command was accepted. */
async function runIfThere({ client }: Session, params: Record<string, string>): Promise<Run | undefined> {
  try {
    return await client.call(getRun, { params });
  } catch (error) {
    if (error instanceof Failure && error.exitCode === exitCodes.notFound) return undefined;
    throw error;
  }
}

async function until(
  read: () => Promise<Run | undefined>,
  signal: AbortSignal,
  isDone: (run: Run | undefined) => boolean,
): Promise<Run | undefined> {
  while (!signal.aborted) {
    const run = await read();
    if (isDone(run)) return run;
    await sleep(300, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
