import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { readDataCentre } from '../data-centre.ts';
import { ensureEngine } from '../machine-runtime/engine.ts';
import { filesOf } from './files.ts';
import { endLeftovers, takeLock } from './leftover-processes.ts';
import type { Progress } from './progress.ts';
import { removeDataCentre } from './stop-machines.ts';

/**
 * Removes what earlier starts left in this directory: processes, machines, network, state.
 * @throws Terminal `already-running`
 */
export async function forgetDataCentre(
  directory: string,
  dockerHost: string | undefined,
  shown: Progress,
): Promise<void> {
  const files = filesOf(directory);
  if (existsSync(files.dataCentre)) {
    const unlock = takeLock(files.lock);
    await endLeftovers(files.processes);
    unlock();
    const dataCentre = readDataCentre(files.dataCentre);
    await shown.step('forget the earlier state', async (report) => {
      const engine = await ensureEngine({ id: dataCentre.id, directory, dockerHost, report });
      await removeDataCentre(engine, dataCentre);
    });
  }
  await rm(files.client, { force: true });
}
