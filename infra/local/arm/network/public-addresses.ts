import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { parseBody } from '../requests/bodies.ts';
import { type Json, type Resource, render, sameId } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { balancerOfAddress, partsOf } from './load-balancers.ts';
import { holderOfAddress } from './references.ts';
import { etag } from './virtual-networks.ts';

const Body = z.looseObject({
  sku: z
    .looseObject({ name: z.string().default('Standard'), tier: z.string().default('Regional') })
    .optional(),
  zones: z.array(z.string()).optional(),
  properties: z
    .looseObject({
      publicIPAllocationMethod: z.string().default('Dynamic'),
      dnsSettings: z.looseObject({ domainNameLabel: z.string().optional() }).optional(),
    })
    .default({ publicIPAllocationMethod: 'Dynamic' }),
});

/**
 * Public addresses. A local machine has one address, which this computer reaches: a public address that is attached
 * shows that one, and none while it is not attached.
 */
export const publicAddresses = (arm: Arm): Tracked => ({
  kind: 'publicIp',
  accept({ id, body, before }) {
    const { sku, zones, properties } = parseBody(Body, body);
    const name = sku?.name ?? 'Standard';
    const fixed = properties.publicIPAllocationMethod.toLowerCase() === 'static';
    if (name.toLowerCase() === 'standard' && !fixed)
      throw new ArmError(
        400,
        'StandardSkuPublicIPAddressesMustBeStatic',
        `Standard sku publicIp ${id} must have AllocationMethod set to Static.`,
      );
    return {
      extra: {
        etag: etag(),
        sku: { name, tier: sku?.tier ?? 'Regional' },
        ...(zones === undefined ? {} : { zones }),
      },
      hidden: {},
      properties: {
        ...properties,
        publicIPAllocationMethod: fixed ? 'Static' : 'Dynamic',
        publicIPAddressVersion: 'IPv4',
        ...dnsOf(arm, id, properties.dnsSettings?.domainNameLabel),
        idleTimeoutInMinutes: properties.idleTimeoutInMinutes ?? 4,
        resourceGuid: before?.properties.resourceGuid ?? randomUUID(),
      },
    };
  },
  removable(address) {
    const holder = holderOfAddress(arm, address.id) ?? balancerOfAddress(arm, address.id);
    if (holder !== undefined)
      throw new ArmError(
        400,
        'PublicIPAddressCannotBeDeleted',
        `Public IP address ${address.id} can not be deleted since it is still allocated to resource ${holder.id}. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.`,
      );
  },
  view: (address) => viewAddress(arm, address),
});

function viewAddress(arm: Arm, address: Resource): Json {
  const balancer = balancerOfAddress(arm, address.id);
  if (balancer !== undefined)
    return render({
      ...address,
      properties: {
        ...address.properties,
        ipAddress: arm.forwarder.address,
        ipConfiguration: { id: partsOf(balancer, 'frontendIPConfigurations')[0]?.id },
      },
    });
  const holder = holderOfAddress(arm, address.id);
  if (holder === undefined) return render(address);
  const attached = { ipAddress: holder.properties.privateIPAddress, ipConfiguration: { id: holder.id } };
  return render({ ...address, properties: { ...address.properties, ...attached } });
}

/** Names under cloudapp.azure.com are the region's, whoever has them. @throws ArmError DnsRecordInUse */
function dnsOf(arm: Arm, id: string, label: string | undefined): Json {
  if (label === undefined) return {};
  if (!/^[a-z][a-z0-9-]{1,61}[a-z0-9]$/.test(label))
    throw new ArmError(
      400,
      'DomainNameLabelDoesNotMatchRegex',
      `The domain name label ${label} is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$.`,
    );
  const fqdn = `${label}.${arm.location}.cloudapp.azure.com`;
  const holder = arm.resources
    .list('publicIp')
    .find(
      (other) => !sameId(other.id, id) && (other.properties.dnsSettings as Json | undefined)?.fqdn === fqdn,
    );
  if (holder !== undefined)
    throw new ArmError(400, 'DnsRecordInUse', `DNS record ${fqdn} is already used by another public IP.`);
  return { dnsSettings: { domainNameLabel: label, fqdn } };
}
