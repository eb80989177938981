import type { Arm } from '../arm.ts';
import { conflict, resourceNotFound } from '../requests/arm-error.ts';
import { type ArmReply, type ArmRequest, parameter, type Route } from '../requests/arm-request.ts';
import { parseBody } from '../requests/bodies.ts';
import { existing, groupOf } from '../resources/lookup.ts';
import { type Resource, typeOf } from '../resources/resource.ts';
import { type Subnet, subnetsOf } from './references.ts';
import { acceptSubnet, etag, refuseOverlap, refuseUsed, SubnetBody, subnetView } from './virtual-networks.ts';

/** Subnets as resources of their own: the record is the network's. */
export function subnetRoutes(arm: Arm): readonly Route[] {
  const vnetOf = (request: ArmRequest): Resource => existing(arm, request, 'vnet');
  const find = (vnet: Resource, request: ArmRequest): Subnet | undefined =>
    subnetsOf(vnet).find(
      (subnet) => subnet.name.toLowerCase() === parameter(request, 'subnet').toLowerCase(),
    );
  const require = (request: ArmRequest): { vnet: Resource; subnet: Subnet } => {
    const vnet = vnetOf(request);
    const subnet = find(vnet, request);
    if (subnet === undefined)
      throw resourceNotFound(
        `${typeOf.vnet}/${vnet.name}/subnets`,
        parameter(request, 'subnet'),
        groupOf(arm, request),
      );
    return { vnet, subnet };
  };
  const keep = (vnet: Resource, subnets: readonly Subnet[], state: string): Resource => {
    const changed = {
      ...vnet,
      extra: { ...vnet.extra, etag: etag() },
      properties: { ...vnet.properties, subnets, provisioningState: state },
    };
    arm.resources.put(changed);
    return changed;
  };

  const put = (request: ArmRequest): ArmReply =>
    arm.database.transaction(() => {
      const vnet = vnetOf(request);
      if (arm.operations.busy(vnet.id)) throw conflict(vnet.id);
      const body = parseBody(SubnetBody, { ...(request.body as object), name: parameter(request, 'subnet') });
      const old = subnetsOf(vnet);
      const space = (vnet.properties.addressSpace as { addressPrefixes: string[] }).addressPrefixes;
      const subnet = acceptSubnet(arm, vnet.id, space, body, old);
      const before = find(vnet, request);
      const subnets = [...old.filter((one) => one !== before), subnet];
      refuseOverlap(vnet.id, subnets);
      const changed = keep(vnet, subnets, 'Updating');
      const operation = arm.operations.begin('vnet.create', vnet.id, {}, request.fault);
      return { status: before === undefined ? 201 : 200, body: subnetView(arm, changed, subnet), operation };
    });

  const remove = (request: ArmRequest): ArmReply =>
    arm.database.transaction(() => {
      const vnet = vnetOf(request);
      const subnet = find(vnet, request);
      if (subnet === undefined) return { status: 204 };
      refuseUsed(arm, subnet.id);
      keep(
        vnet,
        subnetsOf(vnet).filter((one) => one !== subnet),
        'Updating',
      );
      return { status: 202, operation: arm.operations.begin('vnet.create', vnet.id, {}, request.fault) };
    });

  const get = (request: ArmRequest): ArmReply => {
    const { vnet, subnet } = require(request);
    return { status: 200, body: subnetView(arm, vnet, subnet) };
  };
  const list = (request: ArmRequest): ArmReply => {
    const vnet = vnetOf(request);
    return { status: 200, body: { value: subnetsOf(vnet).map((subnet) => subnetView(arm, vnet, subnet)) } };
  };
  const base = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${typeOf.vnet}/{name}/subnets`;
  return [
    { method: 'GET', template: base, handle: list },
    { method: 'GET', template: `${base}/{subnet}`, handle: get },
    { method: 'PUT', template: `${base}/{subnet}`, fault: 'subnet.create', handle: put },
    { method: 'DELETE', template: `${base}/{subnet}`, fault: 'subnet.delete', handle: remove },
  ];
}
