import type { Machine } from '../../model/machine.ts';
import { MachineName } from '../../model/names.ts';
import type { NewMachine } from '../../model/new-machine.ts';
import { BY_HAND, handMadeResourceNames, virtualMachineId, withSuffix } from '../machine-names.ts';
import type { KnownSku } from '../offerings/offering.ts';
import { usable } from '../usable.ts';

/** Where a machine is recorded to be. */
interface Place {
  readonly now: Date;
  readonly subscription: string;
  readonly resourceGroup: string;
}

export interface Asked extends Place {
  readonly request: NewMachine;
  readonly size: KnownSku;
  /** Who is admitted: as asked, or the caller's address. */
  readonly allowFrom: readonly string[];
  /** Resource id of a subnet of the user's own. */
  readonly subnet: string | undefined;
  readonly hourly: number | undefined;
  /** Idempotency-Key. */
  readonly key: string | undefined;
  /** The caller's id. */
  readonly by: string;
}

/** The record of a machine that is to be made by hand. @param random as Math.random */
export function handMade(asked: Asked, random: () => number): Machine {
  const { request, size, allowFrom, subnet, hourly, key, by, now } = asked;
  const { name, image, zone, priority, publicAddress, dnsLabel, address } = request;
  const resources = handMadeResourceNames(withSuffix(name, random), publicAddress);
  return {
    name: MachineName.parse(name),
    pool: BY_HAND,
    size: size.name,
    image,
    resources,
    attempt: 1,
    leftovers: [],
    vmId: virtualMachineId(asked.subscription, asked.resourceGroup, resources.vm),
    ...(zone !== undefined && { zone }),
    priority,
    ...(hourly !== undefined && { hourly }),
    labels: {},
    createdAt: now.toISOString(),
    hand: {
      allowFrom: [...allowFrom],
      openPorts: request.openPorts,
      publicAddress,
      adminUser: request.adminUser,
      sshKeys: request.sshKeys,
      ...(dnsLabel !== undefined && { dnsLabel }),
      ...(subnet !== undefined && { subnet }),
      ...(address !== undefined && { address }),
      tags: request.tags,
      customData: request.customData !== undefined,
      ...(key !== undefined && { request: key }),
      by,
    },
    ...usable(size),
    status: { state: 'provisioning', since: now.toISOString() },
    owner: handMadeId(resources.vm),
  };
}

/** Instance id of the orchestration that makes it: the user may use the machine's name again, the VM's never. */
export const handMadeId = (vm: string): string => `machine-${vm}`;

/** The record at a further attempt, under other names. @param at `left`: ARM may have something of the attempt before */
export function nextAttempt(
  { address: _, publicAddress: _public, hostname: _hostname, boot: _boot, ...machine }: Machine,
  at: Place & { readonly attempt: number; readonly left: boolean },
): Machine {
  const { resources, leftovers, attempt: before } = machine;
  const base = before === 1 ? resources.vm : resources.vm.slice(0, -`-${before}`.length);
  const next = handMadeResourceNames(base, resources.publicIp !== undefined, at.attempt);
  return {
    ...machine,
    resources: next,
    attempt: at.attempt,
    leftovers: at.left ? [...leftovers, resources] : leftovers,
    vmId: virtualMachineId(at.subscription, at.resourceGroup, next.vm),
    status: { state: 'provisioning', since: at.now.toISOString() },
  };
}
