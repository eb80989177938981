import type { MachineRequest } from '../../machine-runtime/machine-runtime.ts';
import type { Arm } from '../arm.ts';
import { inboundRules } from '../network/inbound-rules.ts';
import { ipConfigurationsOf } from '../network/references.ts';
import { invalidReference } from '../requests/arm-error.ts';
import type { Resource } from '../resources/resource.ts';
import { sizeNamed } from './sizes.ts';
import { hardwareOf, nicIdsOf, propertiesOf, stateOf } from './virtual-machine.ts';

/** What the machine runtime is asked for, from a VM's record. */
export function machineRequest(arm: Arm, vm: Resource): MachineRequest {
  const size = sizeNamed(hardwareOf(vm));
  const nic = arm.resources.find('nic', nicIdsOf(vm)[0] ?? '');
  const address = nic && ipConfigurationsOf(nic)[0]?.properties.privateIPAddress;
  if (size === undefined || nic === undefined || address === undefined)
    throw invalidReference(nicIdsOf(vm)[0] ?? 'a network interface', vm.id);
  const profile = propertiesOf(vm).osProfile;
  return {
    name: vm.name,
    address,
    image: imageOf(arm, vm),
    customData: stateOf(vm).customData,
    cores: size.cores,
    memory: size.memory * 1024,
    adminUser: profile?.adminUsername ?? '',
    sshKeys: (profile?.linuxConfiguration?.ssh?.publicKeys ?? []).flatMap(({ keyData }) => keyData ?? []),
    inboundRules: inboundRules(arm, nic),
  };
}

function imageOf(arm: Arm, vm: Resource): MachineRequest['image'] {
  const { id, publisher, offer, sku, version } = propertiesOf(vm).storageProfile.imageReference ?? {};
  if (id === undefined) return { kind: 'marketplace', reference: [publisher, offer, sku, version].join(':') };
  const imageId = arm.resources.find('image', id)?.hidden.imageId;
  if (typeof imageId !== 'string') throw invalidReference(id, vm.id);
  return { kind: 'captured', imageId };
}
