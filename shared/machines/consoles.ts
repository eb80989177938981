import type { Machine } from '../model/machine.ts';
import type { Blobs } from '../state/blobs.ts';

/** Console logs of machines that failed, in full: they outlive their VMs. */
export interface Consoles {
  /** @returns the name of the blob */
  keep(machine: Pick<Machine, 'name' | 'attempt'>, log: string): Promise<string>;
  /** Text; undefined if none was kept. */
  read(blob: string): Promise<string | undefined>;
  /** With the machine's record go its logs. */
  remove(machine: string): Promise<void>;
}

/** Container `machines`, blobs `console/<machine>/<attempt>.log`, UTF-8. */
export function consoles(blobs: Blobs): Consoles {
  const folder = (machine: string): string => `console/${machine}/`;
  return {
    async keep({ name, attempt }, log) {
      const blob = `${folder(name)}${attempt}.log`;
      await blobs.put(blob, Buffer.from(log, 'utf8'));
      return blob;
    },
    async read(blob) {
      const found = await blobs.read(blob);
      return found && Buffer.from(found.bytes).toString('utf8');
    },
    async remove(machine) {
      for await (const { name } of blobs.list(folder(machine))) await blobs.delete(name);
    },
  };
}
