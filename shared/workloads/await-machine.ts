import { MachineRoom, machineRow } from '../scheduling/rows.ts';
import { documentOf } from '../state/documents.ts';
import type { MachineOutcome } from './outcomes.ts';
import type { WorkloadPorts } from './ports.ts';
import type { AwaitMachine } from './replica-activities.ts';
import { placeOf } from './stores.ts';

/** How long one wait lasts, and how often it looks; milliseconds. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 500;
/** A machine that was chosen and not recorded for this long will not come. */
const UNRECORDED_MS = 120_000;

/** Waits a while for a machine that another orchestration has made. */
export async function awaitMachine(
  { stores, now, sleep }: WorkloadPorts,
  { pool, machine }: AwaitMachine,
): Promise<MachineOutcome> {
  const until = now().getTime() + PATIENCE_MS;
  for (;;) {
    const record = (await stores.machines.get(...placeOf.machine(pool, machine)))?.value;
    const status = record?.status;
    if (status?.state === 'ready') return { outcome: 'ready' };
    if (status?.state === 'failed')
      return { outcome: 'failed', failure: { code: status.code, reason: status.reason } };
    if (status === undefined) {
      const room = await stores.tables.read('capacity', pool, machineRow(machine));
      const addedAt = room === undefined ? 0 : Date.parse(documentOf(MachineRoom, room.values).addedAt);
      if (now().getTime() - addedAt > UNRECORDED_MS)
        return {
          outcome: 'failed',
          failure: { code: 'machine-never-came', reason: `machine ${machine} was chosen but never recorded` },
        };
    }
    if (now().getTime() >= until) return { outcome: 'coming' };
    await sleep(PAUSE_MS);
  }
}
