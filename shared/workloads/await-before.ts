import { eventHash } from '../events/event-hash.ts';
import { JobSpec, type ServiceSpec } from '../model/application.ts';
import { parseImageReference } from '../model/image.ts';
import type { Run } from '../model/job.ts';
import { JobName } from '../model/names.ts';
import { type Revision, serviceId, templateOf } from '../model/service.ts';
import { Conflict } from '../state/tables.ts';
import type { ImageResolver } from './image-resolver.ts';
import type { ImageTrust } from './image-trust.ts';
import { noteWaits } from './note-waits.ts';
import type { BeforeOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { AwaitBefore } from './replica-activities.ts';
import { placeOf, type Stores } from './stores.ts';

/** How long one look waits for its end; milliseconds. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 500;

interface BeforePorts extends Pick<WorkloadPorts, 'stores' | 'now' | 'sleep'> {
  readonly images: ImageResolver;
  readonly trust: ImageTrust;
  /** Starts the run's orchestration, unless it is going. */
  begin(run: Run): Promise<void>;
}

/**
 * Has the step before a rollout run, and waits a while for its end. It is a run like those of jobs, recorded under the
 * service's name, and its id follows from the revision: however often this is called, after whatever crash, there is one
 * run, one orchestration of it, and one container.
 */
export async function awaitBefore(
  ports: BeforePorts,
  { key, owner, revision }: AwaitBefore,
): Promise<BeforeOutcome> {
  const { stores, now, sleep } = ports;
  const began = now().getTime();
  const id = await beforeRunId(revision);
  for (let begun = false; ; ) {
    if ((await ownedService(stores, key, owner)) === undefined) return { outcome: 'superseded' };
    const run =
      (await stores.runs.get(...placeOf.run(jobOf(revision), id)))?.value ??
      (await record(ports, revision, id));
    const { status } = run;
    if (status.state === 'succeeded') {
      await noteWaits(stores, key, owner, undefined);
      return { outcome: 'succeeded' };
    }
    if (status.state === 'failed') {
      const { exitCode, lastLines } = status;
      const reason = `the step before the rollout failed: ${status.reason}`;
      return {
        outcome: 'failed',
        failure: { code: 'before-failed', reason, lastLines, ...(exitCode !== undefined && { exitCode }) },
      };
    }
    if (!begun) await ports.begin(run);
    begun = true;
    await noteWaits(stores, key, owner, `the step before the rollout is ${status.state}: run ${id}`);
    if (now().getTime() - began >= PATIENCE_MS) return { outcome: 'running' };
    await sleep(PAUSE_MS);
  }
}

/** A revision that differs from an earlier one in its number of replicas alone has had its step. */
const beforeRunId = async (revision: Revision): Promise<string> =>
  `ev-${await eventHash({ source: `before/${serviceId(revision.key)}`, id: `${templateOf(revision)} ${revision.digest}` })}`;

/** Its runs are listed under the service's name. */
const jobOf = ({ key: { environment, application, service } }: Revision): Run['key'] => ({
  environment,
  application,
  job: JobName.parse(service),
});

async function record(ports: BeforePorts, revision: Revision, id: string): Promise<Run> {
  const { stores, now } = ports;
  const spec = jobSpecOf(revision.spec);
  const at = now().toISOString();
  const { digest, refused } = await imageOf(ports, revision, spec.image);
  const run: Run = {
    id,
    key: jobOf(revision),
    spec,
    ...(digest && { digest }),
    attempt: 1,
    cause: revision.cause,
    createdAt: at,
    status: refused === undefined ? { state: 'pending' } : { state: 'failed', at, ...refused, lastLines: [] },
  };
  return await insert(stores, run);
}

async function insert({ runs }: Stores, run: Run): Promise<Run> {
  const place = placeOf.run(run.key, run.id);
  try {
    await runs.insert(...place, run);
    return run;
  } catch (error) {
    const found = error instanceof Conflict ? await runs.get(...place) : undefined;
    if (found === undefined) throw error;
    return found.value;
  }
}

/** The revision's own image is what was accepted; another one is asked for, and judged, now. */
async function imageOf(
  { images, trust }: BeforePorts,
  { key, spec, digest }: Revision,
  image: string,
): Promise<{ readonly digest?: Run['digest']; readonly refused?: { code: string; reason: string } }> {
  if (image === spec.image) return { digest };
  const reference = parseImageReference(image);
  const found = await images.resolve(reference);
  if (found === undefined)
    return { refused: { code: 'image-not-found', reason: `The registry has no ${image}.` } };
  const verdict = await trust.judge(reference.repository, found, key.environment);
  return verdict.verdict === 'refused'
    ? { digest: found, refused: { code: 'image-refused', reason: verdict.reasons.join(' ') } }
    : { digest: found };
}

/** What a job and a service have in common, with the step's own command. */
export function jobSpecOf(spec: ServiceSpec): JobSpec {
  const { before } = spec;
  const common = Object.fromEntries(Object.entries(spec).filter(([name]) => name in JobSpec.shape));
  return JobSpec.parse({
    ...common,
    image: before?.image ?? spec.image,
    command: before?.command,
    timeout: before?.timeout,
    retries: 0,
  });
}
