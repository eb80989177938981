import type { MetadataDirectory } from '../identity/metadata-directory.ts';
import type { Arm } from './arm.ts';
import { hardwareOf, stateOf } from './compute/virtual-machine.ts';
import { ipConfigurationsOf, referenceOf } from './network/references.ts';

/** Answers the machines' metadata service from the records. */
export const metadataDirectory = (arm: Arm): MetadataDirectory => ({
  async byAddress(address) {
    for (const nic of arm.resources.list('nic')) {
      const configuration = ipConfigurationsOf(nic).find(
        ({ properties }) => properties.privateIPAddress === address,
      );
      const vm = configuration && arm.resources.find('vm', referenceOf(nic, 'virtualMachine') ?? '');
      if (configuration === undefined || vm === undefined) continue;
      return {
        resourceId: vm.id,
        vmId: String(vm.properties.vmId),
        name: vm.name,
        location: vm.location,
        vmSize: hardwareOf(vm),
        resourceGroup: vm.group,
        subscription: arm.subscription,
        tags: vm.tags,
        userData: stateOf(vm).userData,
        privateAddress: address,
        publicAddress: configuration.properties.publicIPAddress === undefined ? undefined : address,
        principalId: stateOf(vm).principalId,
      };
    }
    return undefined;
  },
});
