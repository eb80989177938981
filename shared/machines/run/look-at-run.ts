import { hasEnded, type MachineRun, outputBlob } from '../../model/machine-run.ts';
import type { RunPorts } from './begin-runs.ts';
import type { CommandView } from './run-commands.ts';

/** A run that ARM does not know may just be being asked for, milliseconds. */
const ASKING = 120_000;

/**
 * Asks ARM how a run stands, and records its end.
 * @param overdue its time is over, and that of the platform to end it too
 * @returns the run; undefined if there is none
 */
export async function lookAtRun(
  ports: RunPorts,
  id: string,
  overdue = false,
): Promise<MachineRun | undefined> {
  const run = await ports.machineRuns.get(id);
  if (run === undefined || hasEnded(run)) return run;
  const view = await ports.runCommands.look(run.vm, run.command);
  const status = standingOf(run, view, ports.now(), overdue);
  if (status === undefined) return run;
  const recorded = await ports.machineRuns.change(id, (current) =>
    hasEnded(current) ? undefined : { ...current, status },
  );
  if (recorded !== undefined && hasEnded(recorded))
    for (const stream of ['stdout', 'stderr'] as const) await ports.runLogs.seal(outputBlob(id, stream));
  return recorded;
}

/** What a run's status becomes; undefined: it stays. Pure. */
export function standingOf(
  run: MachineRun,
  view: CommandView | undefined,
  now: Date,
  overdue: boolean,
): MachineRun['status'] | undefined {
  const at = now.toISOString();
  const failed = (reason: string, exitCode?: number): MachineRun['status'] => ({
    state: 'failed',
    at,
    reason,
    ...(exitCode === undefined ? {} : { exitCode }),
  });
  switch (view?.state) {
    case 'Succeeded':
      return { state: 'succeeded', at, exitCode: 0 };
    case 'Failed':
      // It was ended before it could say how.
      if (run.cancel !== undefined && view.exitCode === -1) break;
      return failed(view.message, view.exitCode === -1 ? undefined : view.exitCode);
    case 'TimedOut':
      return { state: 'timed-out', at, reason: `It did not end within ${run.timeout} s and was ended.` };
    case 'Canceled':
      return { state: 'canceled', at, by: run.cancel?.by ?? 'Azure' };
  }
  if (run.cancel !== undefined) return { state: 'canceled', at, by: run.cancel.by };
  if (view === undefined) {
    if (run.status.state === 'running')
      return failed('Azure knows nothing of it any more: the machine or its run command was removed.');
    return now.getTime() - Date.parse(run.createdAt) > ASKING
      ? failed('Azure was never asked for it: Berth was interrupted.')
      : undefined;
  }
  if (view.provisioning === 'Failed') return failed(view.message || 'Azure could not begin it.');
  if (overdue) return { state: 'timed-out', at, reason: 'Nothing was heard of its end in time.' };
  return run.status.state === 'starting' ? { state: 'running', since: at } : undefined;
}
