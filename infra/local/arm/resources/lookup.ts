import type { Arm } from '../arm.ts';
import { ArmError, groupNotFound, invalidReference, resourceNotFound } from '../requests/arm-error.ts';
import { type ArmRequest, parameter } from '../requests/arm-request.ts';
import { type Kind, type Resource, resourceId, typeOf } from './resource.ts';

/** The resource group of a request, as it was first spelled. @throws ArmError 404 */
export function groupOf(arm: Arm, request: ArmRequest): string {
  const name = parameter(request, 'group');
  const group = arm.resources.find('group', resourceId(arm.subscription, '', 'group', name));
  if (group === undefined) throw groupNotFound(name);
  if (group.properties.provisioningState === 'Deleting')
    throw new ArmError(
      409,
      'ResourceGroupBeingDeleted',
      `The resource group '${name}' is in deprovisioning state and cannot perform this operation.`,
    );
  return group.name;
}

/** Id of the resource that `{group}` and `{name}` of the path mean. */
export const idOf = (arm: Arm, request: ArmRequest, kind: Kind, group: string): string =>
  resourceId(arm.subscription, group, kind, parameter(request, 'name'));

/** @throws ArmError 404 */
export function existing(arm: Arm, request: ArmRequest, kind: Kind): Resource {
  const group = groupOf(arm, request);
  const found = arm.resources.find(kind, idOf(arm, request, kind, group));
  if (found === undefined) throw resourceNotFound(typeOf[kind], parameter(request, 'name'), group);
  return found;
}

/** What a body refers to. @throws ArmError 400 InvalidResourceReference */
export function referenced(arm: Arm, kind: Kind, id: string, from: string): Resource {
  const found = arm.resources.find(kind, id);
  if (found === undefined) throw invalidReference(id, from);
  return found;
}

/** Azure compares `West Europe` and `westeurope` as one. @throws ArmError 400 */
export function requireLocation(arm: Arm, kind: Kind, location: string): string {
  if (location.replaceAll(' ', '').toLowerCase() === arm.location.toLowerCase()) return arm.location;
  throw new ArmError(
    400,
    'LocationNotAvailableForResourceType',
    `The provided location '${location}' is not available for resource type '${typeOf[kind]}'. List of available regions for the resource type is '${arm.location}'.`,
  );
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules */
const NAMES: Readonly<Record<Kind, RegExp>> = {
  group: /^[\w().-]{0,89}[\w()-]$/,
  vm: /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$/,
  vnet: /^[a-zA-Z0-9]([\w.-]{0,62}\w)?$/,
  nsg: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
  asg: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
  publicIp: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
  loadBalancer: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
  nic: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
  disk: /^\w([\w-]{0,79})$/,
  image: /^[a-zA-Z0-9]([\w.-]{0,78}\w)?$/,
};

/** @throws ArmError 400 InvalidResourceName */
export function requireName(kind: Kind, name: string): string {
  if (NAMES[kind].test(name)) return name;
  throw new ArmError(
    400,
    'InvalidResourceName',
    `Resource name ${name} is invalid for ${typeOf[kind]}: expected text that fits ${NAMES[kind].source}.`,
  );
}
