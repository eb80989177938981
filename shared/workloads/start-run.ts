import { Retryable, Terminal } from '../model/errors.ts';
import { parseImageReference } from '../model/image.ts';
import { jobId, type Run } from '../model/job.ts';
import type { Machine } from '../model/machine.ts';
import { unwatched } from './cancel-run.ts';
import { wantsFiles, withFiles } from './container-files.ts';
import { containerNetwork, opening } from './container-network.ts';
import { runDemand } from './demand-of.ts';
import { machineComing } from './machine-coming.ts';
import type { StartOutcome } from './outcomes.ts';
import type { WorkloadPorts } from './ports.ts';
import { runContainer, runContainerName } from './run-container.ts';
import { startContainer } from './start-container.ts';
import { placeOf } from './stores.ts';

/** Reserves room for an attempt of a run, pulls, creates and starts. A repeated call finds what an earlier one made. */
export async function startRun(ports: WorkloadPorts, { run }: { readonly run: Run }): Promise<StartOutcome> {
  const { stores, capacity } = ports;
  const { pool, resources } = run.spec;
  const name = runContainerName(run);
  const [stored, reserved] = await Promise.all([
    stores.runs.get(...placeOf.run(run.key, run.id)),
    capacity.reserve(pool, {
      reservation: name,
      group: jobId(run.key),
      demand: runDemand(run.key, run.spec),
      avoid: [],
      owner: run.id,
    }),
  ]);
  const state = stored?.value.status.state;
  if (state === 'succeeded' || state === 'failed') {
    await capacity.release(pool, name);
    return { outcome: 'superseded' };
  }
  const ended = unwatched(stored?.value, ports.now());
  if (ended !== undefined) return { outcome: 'refused', failure: { code: 'run-ended', reason: ended } };
  if (reserved.outcome === 'released') throw new TypeError('a reservation was asked for, not a release');
  if (reserved.outcome === 'no-room')
    return { outcome: 'no-room', reason: reserved.reason, at: ports.now().getTime() };
  const { machine, record } = reserved;
  if (record?.status.state === 'ready' && record.address !== undefined)
    return await start(ports, run, { name: machine, address: record.address }, record, reserved.gpus);
  return await machineComing(stores, reserved, { pool, resources, owner: run.id, cause: run.cause });
}

async function start(
  ports: WorkloadPorts,
  run: Run,
  machine: { readonly name: Run['machine'] & string; readonly address: string },
  record: Machine,
  gpus: readonly number[],
): Promise<StartOutcome> {
  const { registry, stores } = ports;
  const { digest, spec } = run;
  try {
    if (digest === undefined)
      throw new Terminal({
        code: 'image-not-found',
        message: `The registry has no ${spec.image}.`,
        remedy: 'Push it, then run the job again.',
      });
    const engine = await ports.engineOf(machine);
    const request = runContainer(run, digest, registry, containerNetwork(run.key, record), gpus);
    const pull = async () => {
      const token = await ports.pullToken(parseImageReference(spec.image).repository);
      await engine.pull(request.image, token);
    };
    if (wantsFiles(spec)) await pull();
    await startContainer(engine, await withFiles(ports, engine, run.key, spec, request), {
      pull,
      open: opening(ports, run.key, record),
    });
    const now = ports.now();
    await stores.runs.update(...placeOf.run(run.key, run.id), (current) => ({
      ...(current ?? run),
      attempt: run.attempt,
      machine: machine.name,
      status: { state: 'running', since: now.toISOString() },
    }));
    return { outcome: 'started', machine: machine.name, at: now.getTime() };
  } catch (error) {
    if (error instanceof Retryable)
      return {
        outcome: 'unreachable',
        machine: machine.name,
        reason: error.message,
        at: ports.now().getTime(),
      };
    if (!(error instanceof Terminal)) throw error;
    return { outcome: 'refused', failure: { code: error.code, reason: `${error.message} ${error.remedy}` } };
  }
}
