import type { Machine } from '../model/machine.ts';
import { MachineName, PoolName } from '../model/names.ts';

/** Machines are called `<pool>-<letters>`, so the name alone tells the pool, which is the record's partition. */
export const poolOf = (machine: MachineName): PoolName | undefined =>
  PoolName.safeParse(/^(.+)-[^-]+$/.exec(machine)?.[1]).data;

/** ARM names of what makes up a machine: recorded before the first PUT, deleted by name. */
export const resourceNames = (machine: MachineName): Machine['resources'] => ({
  vm: machine,
  nic: `${machine}-nic`,
  disk: `${machine}-disk`,
});

/** ARM id of a VM, as `xms_mirid` of its identity token says it (letter case may differ). */
export const virtualMachineId = (subscription: string, resourceGroup: string, vm: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${vm}`;

/** Without vowels and without letters that look like digits. */
const LETTERS = 'bcdfghjkmnpqrstvwxz23456789';

/** A name that was not used before. @param random as Math.random */
export const newMachineName = (pool: PoolName, random: () => number): MachineName =>
  MachineName.parse(
    `${pool}-${Array.from({ length: 6 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('')}`,
  );
