import type { Arm } from '../arm.ts';
import { type Json, type Resource, sameId } from '../resources/resource.ts';

/** Who refers to whom between network resources: read from the records, never kept twice. */

export interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly properties: Json & {
    readonly addressPrefix: string;
    readonly networkSecurityGroup?: { readonly id: string };
  };
}

export interface IpConfiguration {
  readonly id: string;
  readonly name: string;
  readonly properties: Json & {
    readonly privateIPAddress: string;
    readonly subnet: { readonly id: string };
    readonly publicIPAddress?: {
      readonly id: string;
      readonly properties?: { readonly deleteOption?: string };
    };
  };
}

export const subnetsOf = (vnet: Resource): readonly Subnet[] => vnet.properties.subnets as readonly Subnet[];

export const ipConfigurationsOf = (nic: Resource): readonly IpConfiguration[] =>
  nic.properties.ipConfigurations as readonly IpConfiguration[];

/** Id of a property that is a reference. */
export const referenceOf = (resource: Resource, property: string): string | undefined =>
  (resource.properties[property] as { readonly id: string } | undefined)?.id;

export const vnetIdOf = (subnetId: string): string =>
  subnetId.slice(0, subnetId.toLowerCase().lastIndexOf('/subnets/'));

export function subnetById(
  arm: Arm,
  id: string,
): { readonly vnet: Resource; readonly subnet: Subnet } | undefined {
  const vnet = arm.resources.find('vnet', vnetIdOf(id));
  const subnet = vnet && subnetsOf(vnet).find((candidate) => sameId(candidate.id, id));
  return vnet && subnet && { vnet, subnet };
}

/** Every ip configuration in a subnet, with its NIC. */
export const inSubnet = (
  arm: Arm,
  subnetId: string,
): readonly { nic: Resource; configuration: IpConfiguration }[] =>
  arm.resources
    .list('nic')
    .flatMap((nic) => ipConfigurationsOf(nic).map((configuration) => ({ nic, configuration })))
    .filter(({ configuration }) => sameId(configuration.properties.subnet.id, subnetId));

export const nicsOfGroup = (arm: Arm, nsgId: string): readonly Resource[] =>
  arm.resources.list('nic').filter((nic) => sameId(referenceOf(nic, 'networkSecurityGroup') ?? '', nsgId));

export const subnetsOfGroup = (arm: Arm, nsgId: string): readonly Subnet[] =>
  arm.resources
    .list('vnet')
    .flatMap(subnetsOf)
    .filter((subnet) => sameId(subnet.properties.networkSecurityGroup?.id ?? '', nsgId));

export const holderOfAddress = (arm: Arm, publicIpId: string): IpConfiguration | undefined =>
  arm.resources
    .list('nic')
    .flatMap(ipConfigurationsOf)
    .find((configuration) => sameId(configuration.properties.publicIPAddress?.id ?? '', publicIpId));
