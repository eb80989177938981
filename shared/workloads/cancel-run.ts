import { poolOf } from '../machines/machine-names.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import type { Run } from '../model/job.ts';
import type { WorkloadPorts } from './ports.ts';
import { RUN_GRACE, runContainerName } from './run-container.ts';
import { placeOf } from './stores.ts';

/** Nobody watches it any more: its orchestration ends it. Its container is stopped at once where its machine answers. */
export async function cancel(
  { stores, now, engineOf }: Pick<WorkloadPorts, 'stores' | 'now' | 'engineOf'>,
  { key, id }: Run,
): Promise<Run> {
  const run = await stores.runs.update(...placeOf.run(key, id), (current) =>
    current === undefined || isOver(current) ? undefined : { ...current, watchedUntil: now().toISOString() },
  );
  if (run === undefined) throw new TypeError(`run ${id} is gone`);
  const { machine } = run;
  if (isOver(run) || machine === undefined) return run;
  const record = (await stores.machines.get(...placeOf.machine(poolOf(machine) ?? '', machine)))?.value;
  if (record?.address === undefined) return run;
  try {
    const engine = await engineOf({ name: machine, address: record.address });
    const container = await engine.inspect(runContainerName(run));
    if (container?.state.state === 'running') await engine.stop(container.id, RUN_GRACE);
  } catch (error) {
    if (!(error instanceof Retryable) && !(error instanceof Terminal)) throw error;
  }
  return run;
}

export const isOver = ({ status }: Run): boolean => status.state === 'succeeded' || status.state === 'failed';

/** Why a run is to end though its container has not; undefined if it is not. */
export const unwatched = (run: Run | undefined, now: Date): string | undefined =>
  run?.watchedUntil !== undefined && Date.parse(run.watchedUntil) <= now.getTime()
    ? 'it was ended by its caller, or its caller has gone'
    : undefined;
