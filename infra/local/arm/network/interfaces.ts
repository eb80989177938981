import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, invalidReference } from '../requests/arm-error.ts';
import { parseBody, Reference } from '../requests/bodies.ts';
import { type Resource, render, sameId } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { contains, formatAddress, parseAddress, parseBlock, usable } from './ipv4.ts';
import { poolById, poolIdsOf } from './load-balancers.ts';
import {
  holderOfAddress,
  type IpConfiguration,
  inSubnet,
  ipConfigurationsOf,
  referenceOf,
  subnetById,
} from './references.ts';
import { etag } from './virtual-networks.ts';

const ConfigurationBody = z.looseObject({
  name: z.string().min(1),
  properties: z.looseObject({
    subnet: Reference,
    privateIPAddress: z.string().optional(),
    privateIPAllocationMethod: z.string().default('Dynamic'),
    publicIPAddress: Reference.optional(),
    applicationSecurityGroups: z.array(Reference).optional(),
    primary: z.boolean().optional(),
  }),
});

const Body = z.looseObject({
  properties: z.looseObject({
    ipConfigurations: z.array(ConfigurationBody).min(1),
    networkSecurityGroup: Reference.optional(),
  }),
});

export const interfaces = (arm: Arm, settle: (nic: Resource) => Promise<void>): Tracked => ({
  kind: 'nic',
  accept({ id, body, before }) {
    const { properties } = parseBody(Body, body);
    const group = properties.networkSecurityGroup;
    if (group !== undefined && arm.resources.find('nsg', group.id) === undefined)
      throw invalidReference(group.id, id);
    const taken = new Set<string>();
    const ipConfigurations = properties.ipConfigurations.map((configuration, index) =>
      acceptConfiguration(arm, id, configuration, index === 0, before, taken),
    );
    const attached = before && referenceOf(before, 'virtualMachine');
    const moved =
      before &&
      ipConfigurationsOf(before)[0]?.properties.privateIPAddress !==
        ipConfigurations[0]?.properties.privateIPAddress;
    if (attached !== undefined && moved)
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The address of ${id} cannot change while ${attached} uses it: the local data centre fixes a machine's address when it is made.`,
      );
    return {
      extra: { etag: etag() },
      hidden: before?.hidden ?? {},
      properties: {
        ...properties,
        ipConfigurations,
        enableIPForwarding: properties.enableIPForwarding ?? false,
        enableAcceleratedNetworking: properties.enableAcceleratedNetworking ?? false,
        dnsSettings: { dnsServers: [], appliedDnsServers: [] },
        nicType: 'Standard',
        resourceGuid: before?.properties.resourceGuid ?? randomUUID(),
        ...(attached === undefined ? {} : { virtualMachine: { id: attached }, primary: true }),
      },
    };
  },
  settle,
  removable(nic) {
    const user = referenceOf(nic, 'virtualMachine');
    if (user !== undefined)
      throw new ArmError(
        400,
        'NicInUse',
        `Network Interface ${nic.id} is used by existing resource ${user}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
      );
    refuseReserved(arm, nic, undefined);
  },
  view: render,
});

/** A NIC whose VM was refused for want of capacity stays with that VM for a while. @throws ArmError NicReservedForAnotherVm */
export function refuseReserved(arm: Arm, nic: Resource, forVm: string | undefined): void {
  const reserved = nic.hidden.reserved as { readonly vm: string; readonly until: number } | undefined;
  if (reserved === undefined || arm.now().getTime() >= reserved.until) return;
  if (forVm !== undefined && sameId(forVm, reserved.vm)) return;
  throw new ArmError(
    400,
    'NicReservedForAnotherVm',
    `Nic(s) in request is reserved for another Virtual Machine for ${Math.round(arm.nicReservationMs / 1000)} seconds. Please provide another nic(s) or retry after ${Math.round(arm.nicReservationMs / 1000)} seconds. Reserved VM: ${reserved.vm}.`,
  );
}

function acceptConfiguration(
  arm: Arm,
  nicId: string,
  body: z.infer<typeof ConfigurationBody>,
  primary: boolean,
  before: Resource | undefined,
  taken: Set<string>,
): IpConfiguration {
  const id = `${nicId}/ipConfigurations/${body.name}`;
  const { subnet, publicIPAddress, privateIPAddress, privateIPAllocationMethod, ...rest } = body.properties;
  const place = subnetById(arm, subnet.id);
  if (place === undefined) throw invalidReference(subnet.id, id);
  if (publicIPAddress !== undefined) {
    if (arm.resources.find('publicIp', publicIPAddress.id) === undefined)
      throw invalidReference(publicIPAddress.id, id);
    const holder = holderOfAddress(arm, publicIPAddress.id);
    if (holder !== undefined && !sameId(holder.id, id))
      throw new ArmError(
        400,
        'PublicIPAddressInUse',
        `Resource ${publicIPAddress.id} is already allocated to resource ${holder.id}.`,
      );
  }
  for (const group of body.properties.applicationSecurityGroups ?? [])
    if (arm.resources.find('asg', group.id) === undefined) throw invalidReference(group.id, id);
  for (const pool of poolIdsOf(body.properties))
    if (poolById(arm, pool) === undefined) throw invalidReference(pool, id);
  const own =
    before &&
    ipConfigurationsOf(before).find(
      (old) => sameId(old.id, id) && sameId(old.properties.subnet.id, subnet.id),
    );
  const fixed = privateIPAllocationMethod.toLowerCase() === 'static';
  const address = fixed
    ? fixedAddress(arm, subnet.id, place.subnet.properties.addressPrefix, privateIPAddress, nicId)
    : (own?.properties.privateIPAddress ??
      freeAddress(arm, subnet.id, place.subnet.properties.addressPrefix, taken));
  taken.add(address);
  return {
    id,
    name: body.name,
    properties: {
      ...rest,
      privateIPAddress: address,
      privateIPAddressVersion: 'IPv4',
      privateIPAllocationMethod: fixed ? 'Static' : 'Dynamic',
      primary: body.properties.primary ?? primary,
      provisioningState: 'Succeeded',
      subnet: { id: place.subnet.id },
      ...(publicIPAddress === undefined ? {} : { publicIPAddress: publicIPAddress as { id: string } }),
    },
  };
}

/** Lowest address that nothing has. @throws ArmError SubnetIsFull */
function freeAddress(arm: Arm, subnetId: string, prefix: string, alsoTaken: ReadonlySet<string>): string {
  const block = parseBlock(prefix);
  const taken = new Set([
    ...alsoTaken,
    arm.gateway,
    ...inSubnet(arm, subnetId).map(({ configuration }) => configuration.properties.privateIPAddress),
  ]);
  if (block !== undefined)
    for (let { first } = usable(block); first <= usable(block).last; first += 1)
      if (!taken.has(formatAddress(first))) return formatAddress(first);
  throw new ArmError(
    400,
    'SubnetIsFull',
    `Subnet ${subnetId} with address prefix ${prefix} does not have enough capacity for 1 IP addresses.`,
  );
}

function fixedAddress(
  arm: Arm,
  subnetId: string,
  prefix: string,
  wanted: string | undefined,
  nicId: string,
): string {
  const address = wanted === undefined ? undefined : parseAddress(wanted);
  const block = parseBlock(prefix);
  if (wanted === undefined || address === undefined || block === undefined)
    throw new ArmError(
      400,
      'PrivateIPAddressNotProvided',
      `A static private address of ${nicId} must be an IPv4 address; found '${wanted ?? ''}'.`,
    );
  const { first, last } = usable(block);
  if (!contains(block, { first: address, last: address, prefix: 32 }))
    throw new ArmError(
      400,
      'PrivateIPAddressNotInSubnet',
      `Private static IP address ${wanted} does not belong to the range of subnet prefix ${prefix}.`,
    );
  if (address < first || address > last || wanted === arm.gateway)
    throw new ArmError(
      400,
      'PrivateIPAddressInReservedRange',
      `Private static IP address ${wanted} falls within reserved IP range of subnet prefix ${prefix}.`,
    );
  const holder = inSubnet(arm, subnetId).find(
    ({ nic, configuration }) =>
      configuration.properties.privateIPAddress === wanted && !sameId(nic.id, nicId),
  );
  if (holder !== undefined)
    throw new ArmError(
      400,
      'PrivateIPAddressInUse',
      `IP configuration of ${nicId} is using the private IP address ${wanted} which is already allocated to resource ${holder.nic.id}.`,
    );
  return wanted;
}
