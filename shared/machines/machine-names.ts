import type { MachineResources } from '../model/machine.ts';
import { MachineName, PoolName } from '../model/names.ts';
import { RESOURCE_KINDS, type ResourceKind } from './cloud.ts';

/** Holds the records of machines that somebody made by hand and named; no replica is placed on them. */
export const BY_HAND = PoolName.parse('by-hand');

/** Without vowels and without letters that look like digits. */
const LETTERS = 'bcdfghjkmnpqrstvwxz23456789';
const OF_POOL = new RegExp(`-[${LETTERS}]{6}$`);

/** Whether a name looks like those that Berth makes up for machines of pools: nobody may give such a one by hand. */
export const isPoolMachineName = (name: string): boolean => OF_POOL.test(name);

/**
 * Where the record of a machine may be: `<pool>-<letters>` tells the pool, which is the record's partition; others were
 * made by hand.
 */
export const partitionsOf = (machine: MachineName): readonly PoolName[] => {
  const pool = PoolName.safeParse(/^(.+)-[^-]+$/.exec(machine)?.[1]).data;
  if (pool === undefined) return [BY_HAND];
  return isPoolMachineName(machine) ? [pool] : [pool, BY_HAND];
};

/** The pool of a machine that carries replicas. */
export const poolOf = (machine: MachineName): PoolName | undefined =>
  PoolName.safeParse(/^(.+)-[^-]+$/.exec(machine)?.[1]).data;

/**
 * ARM names of what makes up a machine: recorded before the first PUT, deleted by name. Every attempt has its own.
 * @param base begins them: the machine's name where that is never used twice
 */
export const resourceNames = (base: string, attempt = 1): MachineResources => {
  const vm = attempt === 1 ? base : `${base}-${attempt}`;
  return { vm, nic: `${vm}-nic`, disk: `${vm}-disk` };
};

/** Names of an attempt at a machine made by hand, which has a security group, and a public address where it is wanted. */
export const handMadeResourceNames = (
  base: string,
  publicAddress: boolean,
  attempt = 1,
): MachineResources => {
  const names = resourceNames(base, attempt);
  return {
    ...names,
    ...(publicAddress && { publicIp: `${names.vm}-ip` }),
    securityGroup: `${names.vm}-nsg`,
  };
};

/** What an attempt at a machine may have in ARM, in the order of deletion. */
export function namesOf(resources: MachineResources): readonly { kind: ResourceKind; name: string }[] {
  const { vm, nic, disk, publicIp, securityGroup } = resources;
  const names = { vm, nic, disk, 'public-ip': publicIp, 'security-group': securityGroup };
  return RESOURCE_KINDS.flatMap((kind) => {
    const name = names[kind];
    return name === undefined ? [] : [{ kind, name }];
  });
}

/** ARM id of a VM, as `xms_mirid` of its identity token says it (letter case may differ). */
export const virtualMachineId = (subscription: string, resourceGroup: string, vm: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${vm}`;

/** A name that was not used before. @param random as Math.random */
export const newMachineName = (pool: PoolName, random: () => number): MachineName =>
  MachineName.parse(withSuffix(pool, random));

/** A name with six letters behind it: ARM names of machines made by hand, whose own names may be used again. */
export const withSuffix = (name: string, random: () => number): string =>
  `${name}-${Array.from({ length: 6 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('')}`;
