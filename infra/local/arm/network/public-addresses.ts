import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { parseBody } from '../requests/bodies.ts';
import { type Json, type Resource, render } from '../resources/resource.ts';
import type { Tracked } from '../resources/tracked.ts';
import { holderOfAddress } from './references.ts';
import { etag } from './virtual-networks.ts';

const Body = z.looseObject({
  sku: z
    .looseObject({ name: z.string().default('Standard'), tier: z.string().default('Regional') })
    .optional(),
  zones: z.array(z.string()).optional(),
  properties: z
    .looseObject({ publicIPAllocationMethod: z.string().default('Dynamic') })
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
        idleTimeoutInMinutes: properties.idleTimeoutInMinutes ?? 4,
        resourceGuid: before?.properties.resourceGuid ?? randomUUID(),
      },
    };
  },
  removable(address) {
    const holder = holderOfAddress(arm, address.id);
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
  const holder = holderOfAddress(arm, address.id);
  if (holder === undefined) return render(address);
  const attached = { ipAddress: holder.properties.privateIPAddress, ipConfiguration: { id: holder.id } };
  return render({ ...address, properties: { ...address.properties, ...attached } });
}
