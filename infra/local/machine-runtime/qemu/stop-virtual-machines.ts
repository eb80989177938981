import { machineFolders } from '../machine-folder.ts';
import { stopProcess } from './machine-process.ts';
import { removeTap, tapName } from './tap.ts';

/**
 * Ends the virtual machines of a data centre, all at once, and takes their network devices away. What they should be
 * stays recorded: those that were on are started with the next cloud. There may be none.
 */
export async function stopVirtualMachines(
  place: { readonly id: string; readonly directory: string },
  how: 'power-down' | 'cut-off',
): Promise<void> {
  await Promise.all(
    machineFolders(place.directory).map(async (name) => {
      await stopProcess(place, name, how === 'cut-off' ? 0 : undefined);
      await removeTap(tapName(place.id, name));
    }),
  );
}
