import type { Command } from '../model/command.ts';
import { Terminal } from '../model/errors.ts';
import type { Run } from '../model/job.ts';
import { JobName } from '../model/names.ts';
import { serviceId } from '../model/service.ts';
import { Conflict } from '../state/tables.ts';
import type { Answering, Cause, Start } from './answer.ts';
import { jobSpecOf } from './await-before.ts';
import { runJob } from './run-job.ts';
import { placeOf } from './stores.ts';

/** Milliseconds that a run waits for word of the one that watches it. */
export const WATCHED_MS = 60_000;

/**
 * Runs a command once in a container like those of a service's revision: its image by digest, environment, secrets and
 * configs, resources and pool. It is a run like those of jobs, recorded under the service's name.
 */
export async function answerServiceRun(
  { stores, now }: Pick<Answering, 'stores' | 'now'>,
  cause: Cause,
  asked: Extract<Command, { type: 'run-service' }>,
): Promise<readonly Start[]> {
  const { environment, application, service, command, variables, timeout, watched } = asked;
  const key = { environment, application, service };
  const accepted = (await stores.services.get(...placeOf.service(key)))?.value.accepted;
  if (accepted === undefined)
    throw new Terminal({
      code: 'service-not-accepted',
      status: 404,
      message: `There is no revision of a service ${serviceId(key)} to run.`,
      remedy: 'Deploy it, and push its image: berth status',
    });
  const { spec, digest } = accepted;
  const run: Run = {
    id: cause.instanceId,
    key: { environment, application, job: JobName.parse(service) },
    spec: jobSpecOf({
      ...spec,
      environment: { ...spec.environment, ...variables },
      before: { command: [...command], timeout },
    }),
    digest,
    attempt: 1,
    cause: cause.text,
    createdAt: now.toISOString(),
    ...(watched ? { watchedUntil: new Date(now.getTime() + WATCHED_MS).toISOString() } : {}),
    status: { state: 'pending' },
  };
  const place = placeOf.run(run.key, run.id);
  try {
    await stores.runs.insert(...place, run);
    return [startOf(run)];
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  // The event was answered before: what was recorded then counts.
  const found = (await stores.runs.get(...place))?.value;
  return found === undefined || found.status.state === 'succeeded' || found.status.state === 'failed'
    ? []
    : [startOf(found)];
}

const startOf = (run: Run): Start => ({ orchestrator: runJob.name, instanceId: run.id, input: { run } });
