import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError, invalidReference } from '../requests/arm-error.ts';
import { parseBody, Reference } from '../requests/bodies.ts';
import { type Json, type Resource, render, sameId } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { contains, overlap, parseBlock } from './ipv4.ts';
import { inSubnet, type Subnet, subnetsOf } from './references.ts';

export const SubnetBody = z.looseObject({
  name: z.string().min(1).max(80),
  properties: z.looseObject({
    addressPrefix: z.string().optional(),
    addressPrefixes: z.array(z.string()).optional(),
    networkSecurityGroup: Reference.optional(),
  }),
});

const Body = z.looseObject({
  properties: z.looseObject({
    addressSpace: z.looseObject({ addressPrefixes: z.array(z.string()).min(1) }),
    subnets: z.array(SubnetBody).default([]),
  }),
});

export const virtualNetworks = (arm: Arm, settle: (vnet: Resource) => Promise<void>): Tracked => ({
  kind: 'vnet',
  accept({ id, body, before }) {
    const { properties } = parseBody(Body, body);
    const space = properties.addressSpace.addressPrefixes;
    for (const prefix of space)
      if (parseBlock(prefix) === undefined)
        throw new ArmError(
          400,
          'InvalidAddressPrefixFormat',
          `Address prefix ${prefix} of resource ${id} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.`,
        );
    const old = before === undefined ? [] : subnetsOf(before);
    const subnets = properties.subnets.map((subnet) => acceptSubnet(arm, id, space, subnet, old));
    for (const gone of old.filter((one) => !subnets.some((subnet) => sameId(subnet.id, one.id))))
      refuseUsed(arm, gone.id);
    refuseOverlap(id, subnets);
    return {
      extra: { etag: etag() },
      hidden: {},
      properties: {
        ...properties,
        subnets,
        virtualNetworkPeerings: [],
        enableDdosProtection: properties.enableDdosProtection ?? false,
        resourceGuid: before?.properties.resourceGuid ?? randomUUID(),
      },
    };
  },
  settle,
  removable(vnet) {
    for (const subnet of subnetsOf(vnet)) refuseUsed(arm, subnet.id);
  },
  view: (vnet) =>
    render({
      ...vnet,
      properties: {
        ...vnet.properties,
        subnets: subnetsOf(vnet).map((subnet) => subnetView(arm, vnet, subnet)),
      },
    }),
});

export const etag = (): string => `W/"${randomUUID()}"`;

/** @throws ArmError where the prefix is malformed, outside the address space, or its security group is not there */
export function acceptSubnet(
  arm: Arm,
  vnetId: string,
  space: readonly string[],
  body: z.infer<typeof SubnetBody>,
  old: readonly Subnet[],
): Subnet {
  const id = `${vnetId}/subnets/${body.name}`;
  const prefix = body.properties.addressPrefix ?? body.properties.addressPrefixes?.[0];
  const block = parseBlock(prefix ?? '');
  if (prefix === undefined || block === undefined)
    throw new ArmError(
      400,
      'InvalidCIDRNotation',
      `The address prefix ${prefix} in resource ${id} has an invalid CIDR notation. For the given prefix length, the address prefix should be its first address.`,
    );
  if (block.prefix > 29)
    throw new ArmError(
      400,
      'InvalidSubnet',
      `Subnet ${id} is smaller than /29: Azure keeps five of its addresses.`,
    );
  if (!space.some((outer) => contains(parseBlock(outer) ?? block, block)))
    throw new ArmError(
      400,
      'NetcfgInvalidSubnet',
      `Subnet '${body.name}' is not valid in virtual network '${vnetId.slice(vnetId.lastIndexOf('/') + 1)}': ${prefix} lies outside its address space.`,
    );
  const group = body.properties.networkSecurityGroup;
  if (group !== undefined && arm.resources.find('nsg', group.id) === undefined)
    throw invalidReference(group.id, id);
  const before = old.find((subnet) => sameId(subnet.id, id));
  if (before !== undefined && before.properties.addressPrefix !== prefix) refuseUsed(arm, before.id);
  const {
    ipConfigurations: _,
    addressPrefixes: __,
    provisioningState: ___,
    networkSecurityGroup: ____,
    ...rest
  } = body.properties;
  return {
    id: before?.id ?? id,
    name: before?.name ?? body.name,
    properties: {
      delegations: [],
      privateEndpointNetworkPolicies: 'Disabled',
      privateLinkServiceNetworkPolicies: 'Enabled',
      ...rest,
      addressPrefix: prefix,
      ...(group === undefined ? {} : { networkSecurityGroup: { id: group.id } }),
    },
  };
}

export function refuseOverlap(vnetId: string, subnets: readonly Subnet[]): void {
  const blocks = subnets.map((subnet) => ({ subnet, block: parseBlock(subnet.properties.addressPrefix) }));
  blocks.forEach((one, index) => {
    const other = blocks
      .slice(index + 1)
      .find(({ block }) => block !== undefined && one.block !== undefined && overlap(block, one.block));
    if (other !== undefined)
      throw new ArmError(
        400,
        'NetcfgSubnetRangesOverlap',
        `Subnet '${one.subnet.name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '${vnetId.slice(vnetId.lastIndexOf('/') + 1)}'.`,
      );
  });
}

/** @throws ArmError InUseSubnetCannotBeDeleted while a NIC has an address in it */
export function refuseUsed(arm: Arm, subnetId: string): void {
  const user = inSubnet(arm, subnetId)[0]?.configuration.id;
  if (user === undefined) return;
  const name = subnetId.slice(subnetId.lastIndexOf('/') + 1);
  throw new ArmError(
    400,
    'InUseSubnetCannotBeDeleted',
    `Subnet ${name} is in use by ${user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
  );
}

export function subnetView(arm: Arm, vnet: Resource, subnet: Subnet): Json {
  const users = inSubnet(arm, subnet.id).map(({ configuration }) => ({ id: configuration.id }));
  return {
    ...subnet,
    type: 'Microsoft.Network/virtualNetworks/subnets',
    etag: vnet.extra.etag,
    properties: {
      ...subnet.properties,
      provisioningState: vnet.properties.provisioningState,
      ...(users.length > 0 ? { ipConfigurations: users } : {}),
    },
  };
}
