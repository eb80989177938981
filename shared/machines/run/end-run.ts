import { hasEnded, type MachineRun } from '../../model/machine-run.ts';
import type { RunPorts } from './begin-runs.ts';

/** Days that runs and their output are kept. */
const KEPT = 30;

/** Removes what ARM has of a run. @returns whether nothing is left */
export async function removeCommand(ports: RunPorts, id: string): Promise<boolean> {
  const run = await ports.machineRuns.get(id);
  if (run === undefined) return true;
  await ports.runCommands.remove(run.vm, run.command);
  if ((await ports.runCommands.look(run.vm, run.command)) !== undefined) return false;
  if (hasEnded(run)) await ports.machineRuns.close(id);
  return true;
}

/** Somebody wants a run to end: that is recorded, then its command is deleted, which ends its script. */
export async function cancelRun(ports: RunPorts, id: string, by: string): Promise<MachineRun | undefined> {
  const at = ports.now().toISOString();
  const run = await ports.machineRuns.change(id, (current) =>
    hasEnded(current) || current.cancel !== undefined ? undefined : { ...current, cancel: { at, by } },
  );
  if (run !== undefined && !hasEnded(run)) await ports.runCommands.remove(run.vm, run.command);
  return run;
}

/** Forgets runs of more than 30 days ago, with their output. */
export async function expireRuns(ports: RunPorts): Promise<void> {
  const before = new Date(ports.now().getTime() - KEPT * 24 * 3600_000);
  for await (const run of ports.machineRuns.before(before)) {
    await ports.runLogs.remove(`${run.id}/`);
    await ports.machineRuns.remove(run.id);
  }
}
