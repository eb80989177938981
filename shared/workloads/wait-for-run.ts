import type { Engine } from '../docker/engine.ts';
import { poolOf } from '../machines/machine-names.ts';
import { runsEndAt } from '../machines/replacement/drain-state.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import { unwatched } from './cancel-run.ts';
import { lastLines } from './last-lines.ts';
import { lookAt } from './observe-service.ts';
import type { WorkloadPorts } from './ports.ts';
import type { Input } from './replica-activities.ts';
import { labels } from './replica-container.ts';
import { runContainerName } from './run-container.ts';
import type { waitForRun as signature, WaitOutcome } from './run-job.ts';
import { placeOf } from './stores.ts';

/** Waits until the attempt's container has ended, or the time is over. */
export async function waitForRun(ports: WorkloadPorts, input: Input<typeof signature>): Promise<WaitOutcome> {
  const { key, id, attempt, machine, milliseconds } = input;
  const pool = poolOf(machine) ?? '';
  const record = (await ports.stores.machines.get(...placeOf.machine(pool, machine)))?.value;
  const look = await lookAt(ports, record, [`${labels.run}=${id}`]);
  if (look.found === 'lost') return { outcome: 'lost', reason: `machine ${machine} is lost` };
  if (look.found !== 'containers') {
    await ports.sleep(Math.min(milliseconds, 1000));
    return { outcome: 'running' };
  }
  const { engine, containers } = look;
  const container = containers.find(({ name }) => name === runContainerName({ id, attempt }));
  if (container === undefined) return { outcome: 'lost', reason: 'its container was removed' };
  const exitCode = await exitCodeWithin(engine, container.id, milliseconds);
  // Asked after the wait: a run that ends by itself costs no reading more.
  const run = exitCode === 0 ? undefined : (await ports.stores.runs.get(...placeOf.run(key, id)))?.value;
  const ended = unwatched(run, ports.now());
  if (ended !== undefined) return { outcome: 'lost', reason: ended };
  if (exitCode === undefined) return { outcome: 'running' };
  const stopped = exitCode !== 0 ? await stoppedFor(ports, machine) : undefined;
  if (stopped !== undefined) return { outcome: 'lost', reason: stopped };
  const lines = await lastLines(engine, container.id);
  const { state } = (await engine.inspect(container.id)) ?? container;
  if (state.state === 'exited' && state.outOfMemory) lines.push('(ended by the kernel: out of memory)');
  return { outcome: 'ended', exitCode, lastLines: lines };
}

/** Why a run that failed was stopped, if its machine was drained and its time was over. */
async function stoppedFor(
  { stores, now }: WorkloadPorts,
  machine: Input<typeof signature>['machine'],
): Promise<string | undefined> {
  const record = (await stores.machines.get(...placeOf.machine(poolOf(machine) ?? '', machine)))?.value;
  const { cordon } = record ?? {};
  if (cordon?.drain !== true || now().getTime() < runsEndAt(cordon)) return undefined;
  return `it was stopped, since machine ${machine} is drained: ${cordon.reason}`;
}

async function exitCodeWithin(
  engine: Engine,
  container: string,
  milliseconds: number,
): Promise<number | undefined> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    return (await engine.wait(container, signal)).exitCode;
  } catch (error) {
    // An engine that went away while it was waited for is asked again by the next wait.
    if (signal.aborted || error instanceof Retryable) return undefined;
    if (error instanceof Terminal && error.code === 'container-not-found') return undefined;
    throw error;
  }
}
