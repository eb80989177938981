import type { Machine } from '../model/machine.ts';
import { type MachineName, PoolName } from '../model/names.ts';

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
