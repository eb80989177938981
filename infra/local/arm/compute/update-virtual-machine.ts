import { isDeepStrictEqual } from 'node:util';
import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import type { Resource } from '../resources/resource.ts';
import { acceptIdentity } from './identity.ts';
import { changed, hardwareOf, propertiesOf, stateOf } from './virtual-machine.ts';
import type { VirtualMachineBody } from './virtual-machine-body.ts';

const notAllowed = (property: string): ArmError =>
  new ArmError(409, 'PropertyChangeNotAllowed', `Changing property '${property}' is not allowed.`);

/** A PUT of a VM that exists: tags and identity may change; what was fixed at creation may not. @throws ArmError 409 */
export function updateVirtualMachine(arm: Arm, vm: Resource, body: VirtualMachineBody): Resource {
  const before = propertiesOf(vm);
  const { osProfile, storageProfile, hardwareProfile, networkProfile } = body.properties;
  if (osProfile?.customData !== undefined && osProfile.customData !== stateOf(vm).customData)
    throw notAllowed('osProfile.customData');
  for (const name of ['adminUsername', 'computerName', 'linuxConfiguration'] as const)
    if (osProfile?.[name] !== undefined && !included(osProfile[name], before.osProfile?.[name]))
      throw notAllowed(`osProfile.${name}`);
  const { exactVersion: _, ...image } = before.storageProfile.imageReference ?? {};
  if (storageProfile.imageReference !== undefined && !included(storageProfile.imageReference, image))
    throw notAllowed('imageReference');
  if (
    storageProfile.osDisk?.name !== undefined &&
    storageProfile.osDisk.name !== before.storageProfile.osDisk?.name
  )
    throw notAllowed('osDisk.name');
  if (body.zones !== undefined && !isDeepStrictEqual(body.zones, vm.extra.zones)) throw notAllowed('zones');
  if (hardwareProfile.vmSize.toLowerCase() !== hardwareOf(vm).toLowerCase())
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `Unable to resize the VM from ${hardwareOf(vm)} to ${hardwareProfile.vmSize}: the local data centre fixes a machine's size when it is made.`,
    );
  const nics = networkProfile?.networkInterfaces ?? [];
  if (
    nics.some(
      ({ id }, index) =>
        id.toLowerCase() !== before.networkProfile?.networkInterfaces[index]?.id.toLowerCase(),
    )
  )
    throw new ArmError(
      409,
      'OperationNotAllowed',
      "The local data centre fixes a machine's network interface when it is made.",
    );
  return retag(arm, vm, body);
}

/** Tags and identity, as PATCH changes them too. */
export function retag(
  arm: Arm,
  vm: Resource,
  body: Pick<Partial<VirtualMachineBody>, 'tags' | 'identity'>,
): Resource {
  const tagged = body.tags === undefined ? vm : { ...vm, tags: body.tags };
  if (body.identity === undefined) return tagged;
  const { identity, principalId } = acceptIdentity(body.identity, arm.tenant, stateOf(vm).principalId);
  const { identity: _, ...extra } = tagged.extra;
  return changed(
    { ...tagged, extra: { ...extra, ...(identity === undefined ? {} : { identity }) } },
    { principalId },
  );
}

/** Whether every member that `sent` has is the same in `kept`: the record holds more than was sent. */
function included(sent: unknown, kept: unknown): boolean {
  if (typeof sent !== 'object' || sent === null) return Object.is(sent, kept);
  if (Array.isArray(sent))
    return (
      Array.isArray(kept) &&
      sent.length === kept.length &&
      sent.every((one, index) => included(one, kept[index]))
    );
  if (typeof kept !== 'object' || kept === null) return false;
  return Object.entries(sent).every(([name, value]) =>
    included(value, (kept as Record<string, unknown>)[name]),
  );
}
