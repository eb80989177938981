import { Terminal } from '../model/errors.ts';
import { parseImageReference } from '../model/image.ts';
import { type JobKey, jobId, type Run } from '../model/job.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { runJob } from './run-job.ts';
import { placeOf } from './stores.ts';

/** One event makes one run: its id is that of the event's orchestration. */
export async function answerRun(
  { stores, images, trust, now }: Answering,
  cause: Cause,
  { environment, application, job }: JobKey,
  { scheduled }: { scheduled: boolean },
): Promise<readonly Start[]> {
  const key = { environment, application, job };
  const id = cause.instanceId;
  const known = await stores.jobs.get(...placeOf.job(key));
  if (known === undefined) {
    const found = await stores.runs.get(...placeOf.run(key, id));
    if (found !== undefined) return startOf(found.value);
    // A job that was removed owes no runs.
    if (scheduled) return [];
    throw new Terminal({
      code: 'job-unknown',
      status: 404,
      message: `There is no job ${jobId(key)}.`,
      remedy: 'List the jobs with `berth jobs list`, or deploy it first.',
    });
  }
  const { spec } = known.value;
  const reference = parseImageReference(spec.image);
  const digest = await images.resolve(reference);
  const verdict = digest && (await trust.judge(reference.repository, digest, environment));
  const failed = (code: string, reason: string): Run['status'] => ({
    state: 'failed',
    at: now.toISOString(),
    code,
    reason,
    lastLines: [],
  });
  const run: Run = {
    id,
    key,
    spec,
    ...(digest && { digest }),
    attempt: 1,
    cause: cause.text,
    createdAt: now.toISOString(),
    status:
      verdict === undefined
        ? failed('image-not-found', `The registry has no ${spec.image}: push it, then run the job again.`)
        : verdict.verdict === 'refused'
          ? failed('image-refused', verdict.reasons.join(' '))
          : { state: 'pending' },
  };
  try {
    await stores.runs.insert(...placeOf.run(key, id), run);
    return startOf(run);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  // The event was answered before: what was recorded then counts.
  const found = await stores.runs.get(...placeOf.run(key, id));
  return found === undefined ? [] : startOf(found.value);
}

const startOf = (run: Run): readonly Start[] =>
  run.status.state === 'succeeded' || run.status.state === 'failed'
    ? []
    : [{ orchestrator: runJob.name, instanceId: run.id, input: { run } }];
