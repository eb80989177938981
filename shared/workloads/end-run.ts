import { poolOf } from '../machines/machine-names.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import type { Run, RunStatus } from '../model/job.ts';
import { lastLines } from './last-lines.ts';
import type { WorkloadPorts } from './ports.ts';
import { removeContainer } from './remove-container.ts';
import { RUN_GRACE, runContainerName } from './run-container.ts';
import type { RunEnd } from './run-job.ts';
import { placeOf } from './stores.ts';

/** Removes the container of an attempt, releases its room, and then records how the run stands. */
export async function endRun(ports: WorkloadPorts, input: RunEnd): Promise<null> {
  const { key, id, attempt, pool, status } = input;
  const { stores, capacity } = ports;
  const run = (await stores.runs.get(...placeOf.run(key, id)))?.value;
  const said = run === undefined ? [] : await stopAndRemove(ports, run, attempt);
  await capacity.release(pool, runContainerName({ id, attempt }));
  await stores.runs.update(...placeOf.run(key, id), (current) =>
    current === undefined || isOver(current.status)
      ? undefined
      : { ...current, status: withLines(status, said) },
  );
  return null;
}

const isOver = ({ state }: RunStatus): boolean => state === 'succeeded' || state === 'failed';

const withLines = (status: RunStatus, said: readonly string[]): RunStatus =>
  'lastLines' in status && status.lastLines.length === 0 ? { ...status, lastLines: [...said] } : status;

/** A machine that does not answer keeps it until the sweep finds it there. */
async function stopAndRemove(ports: WorkloadPorts, { id, machine }: Run, attempt: number): Promise<string[]> {
  if (machine === undefined) return [];
  const record = (await ports.stores.machines.get(...placeOf.machine(poolOf(machine) ?? '', machine)))?.value;
  if (record?.address === undefined) return [];
  try {
    const engine = await ports.engineOf({ name: machine, address: record.address });
    const container = await engine.inspect(runContainerName({ id, attempt }));
    if (container === undefined) return [];
    const said = await lastLines(engine, container.id);
    if (container.state.state === 'running') await engine.stop(container.id, RUN_GRACE);
    await removeContainer(ports, engine, container, machine);
    return said;
  } catch (error) {
    if (error instanceof Retryable || error instanceof Terminal) return [];
    throw error;
  }
}
