import { setTimeout as sleep } from 'node:timers/promises';
import { getRun, readRunLogs, startRun } from '../shared/api/routes/jobs.ts';
import type { Run } from '../shared/model/job.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { PartName } from './names.ts';
import { type LogLine, readLog } from './read-log.ts';
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
  const { client, output, environment } = session;
  const accepted = await client.call(startRun, { params: { environment, application, job } });
  const { run: id } = accepted;
  if (!wait) {
    output.data(accepted, () => accepted.location);
    return exitCodes.ok;
  }
  output.say(`${application}/${job}: run ${id}`);
  const params = { environment, application, job, run: id };
  const run = await showUntilEnd(session, params);
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
  return exitCodeOf(run);
}

/** The container's own, or 1 if it never had one. */
export const exitCodeOf = ({ status }: Run): number =>
  status.state !== 'failed'
    ? exitCodes.ok
    : status.exitCode === undefined || status.exitCode === 0
      ? exitCodes.failed
      : status.exitCode;

/** Shows the output of all attempts. @returns the run once it has ended; undefined if the user ended the command */
export async function showUntilEnd(
  session: Session,
  params: Record<string, string>,
): Promise<Run | undefined> {
  const { client, output, interrupted } = session;
  const shown: string[] = [];
  const show = (line: LogLine): void => {
    shown.push(line.text);
    if (output.json) output.piece({ line }, '');
    else (line.stream === 'stderr' ? process.stderr : process.stdout).write(`${line.text}\n`);
  };
  let since: string | undefined;
  while (!interrupted.aborted) {
    const run = await runIfThere(session, params);
    if (run?.status.state === 'succeeded' || run?.status.state === 'failed') {
      const rest: LogLine[] = [];
      for await (const line of readLog(client, readRunLogs, { params, query: { since } }, interrupted))
        rest.push(line);
      const { at: time, lastLines } = run.status;
      // Of a run whose log could not be kept the last lines stand in its record.
      if (rest.length > 0 && rest.every(({ kept }) => kept !== true)) for (const line of rest) show(line);
      else for (const text of unseen(shown, lastLines)) show({ stream: 'stdout', time, text });
      return run;
    }
    if (run?.status.state === 'running')
      for await (const line of readLog(
        client,
        readRunLogs,
        { params, query: { follow: true, since } },
        interrupted,
      )) {
        if (line.kept === true) continue;
        since = line.time;
        show(line);
      }
    await sleep(300, undefined, { signal: interrupted }).catch(() => undefined);
  }
  return undefined;
}

/**
 * The kept lines that were not shown: a container that ends at once may be gone before its output was asked for.
 * Both are the end of the same output, so what was shown last is where the kept ones go on.
 */
export function unseen(shown: readonly string[], kept: readonly string[]): readonly string[] {
  for (let overlap = Math.min(shown.length, kept.length); overlap > 0; overlap -= 1) {
    const end = shown.slice(shown.length - overlap);
    if (end.every((text, index) => text === kept[index])) return kept.slice(overlap);
  }
  return kept;
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
