import { createHash } from 'node:crypto';
import { Retryable } from '../../model/errors.ts';
import type { Machine } from '../../model/machine.ts';
import { type MachineRun, type OperatingSystem, outputBlob } from '../../model/machine-run.ts';
import { Conflict } from '../../state/tables.ts';
import type { Begun, RunCommands } from './run-commands.ts';
import type { RunLogs } from './run-logs.ts';
import type { MachineRunStore } from './run-store.ts';
import type { Rendered } from './script.ts';

export interface RunPorts {
  readonly runCommands: RunCommands;
  readonly runLogs: RunLogs;
  readonly machineRuns: MachineRunStore;
  now(): Date;
}

/** What is to run where; checked. */
export interface RunPlan {
  readonly batch: string;
  readonly by: string;
  readonly what: string;
  readonly timeout: number;
  readonly user: string | undefined;
  readonly on: readonly {
    readonly machine: Machine;
    readonly os: OperatingSystem;
    readonly rendered: Rendered;
  }[];
}

/** ARM is asked for so many at once. */
const AT_ONCE = 8;
/** Seconds that a machine may write its output for after its script's time. */
const AFTER = 1800;
/** How often ARM is asked again where it was too busy to accept. */
const TRIES = 4;

/**
 * Records every run, then asks ARM for each, once.
 * @returns the runs as they stand then
 * @throws Retryable `runs-starting` where another process is just recording them
 */
export async function beginRuns(ports: RunPorts, plan: RunPlan): Promise<readonly MachineRun[]> {
  const planned = plan.on.map((one) => ({ run: runOf(plan, one, ports.now()), rendered: one.rendered }));
  for (const { run } of planned) await record(ports, run);
  const begun: MachineRun[] = [];
  for (let at = 0; at < planned.length; at += AT_ONCE)
    begun.push(
      ...(await Promise.all(
        planned.slice(at, at + AT_ONCE).map(({ run, rendered }) => beginRun(ports, run, rendered)),
      )),
    );
  return begun;
}

async function record({ machineRuns }: RunPorts, run: MachineRun): Promise<void> {
  try {
    await machineRuns.add(run);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    throw new Retryable({
      code: 'runs-starting',
      message: 'The same request is just being answered.',
      remedy: 'Send it again in a moment.',
      afterMs: 1000,
    });
  }
}

function runOf(
  { batch, by, what, timeout, user }: RunPlan,
  { machine, os }: RunPlan['on'][number],
  now: Date,
): MachineRun {
  const id = `${batch}.${machine.name}`;
  const createdAt = now.toISOString();
  return {
    id,
    batch,
    machine: machine.name,
    vm: machine.resources.vm,
    command: `berth-${createHash('sha256').update(id).digest('hex').slice(0, 24)}`,
    os,
    what,
    ...(user === undefined ? {} : { user }),
    by,
    createdAt,
    timeout,
    status: { state: 'starting', since: createdAt },
    removed: false,
  };
}

async function beginRun(ports: RunPorts, run: MachineRun, rendered: Rendered): Promise<MachineRun> {
  const { machineRuns, runLogs, now } = ports;
  const seconds = run.timeout + AFTER;
  const record = async (status: MachineRun['status']): Promise<MachineRun> =>
    (await machineRuns.change(run.id, (current) =>
      current.status.state === 'starting' ? { ...current, status } : undefined,
    )) ?? run;
  try {
    const answer = await patiently(ports, run, {
      ...rendered,
      timeout: run.timeout,
      stdoutUrl: await runLogs.writeUrl(outputBlob(run.id, 'stdout'), seconds),
      stderrUrl: await runLogs.writeUrl(outputBlob(run.id, 'stderr'), seconds),
    });
    const at = now().toISOString();
    if (answer.status === 'begun') return await record({ state: 'running', since: at });
    return await record({
      state: 'failed',
      at,
      reason: `Azure refused it: ${answer.code}: ${answer.message}`,
    });
  } catch (error) {
    // It may have been accepted: who follows the run asks ARM whether there is such a command.
    if (error instanceof Retryable && error.code === 'arm-unavailable') return run;
    const reason =
      error instanceof Retryable ? `Azure was too busy: ${error.message}` : 'Berth failed to ask for it.';
    const failed = await record({ state: 'failed', at: now().toISOString(), reason });
    if (error instanceof Retryable) return failed;
    throw error;
  }
}

/** Only where ARM has not accepted it is it asked again. */
async function patiently(
  { runCommands }: RunPorts,
  run: MachineRun,
  command: Parameters<RunCommands['begin']>[2],
): Promise<Begun> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runCommands.begin(run.vm, run.command, command);
    } catch (error) {
      const isBusy = error instanceof Retryable && error.code === 'arm-busy';
      if (!isBusy || attempt === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(error.afterMs ?? 1000, 10_000)));
    }
  }
}
