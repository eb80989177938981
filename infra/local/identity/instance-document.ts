import type { InstanceMetadata } from './metadata-directory.ts';

/**
 * A machine as api-version 2021-02-01 describes it. What a data centre here does not know is empty, as on Azure.
 * https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#instance-metadata
 */
export function instanceDocument(machine: InstanceMetadata) {
  const tags = Object.entries(machine.tags);
  return {
    compute: {
      azEnvironment: 'AzurePublicCloud',
      customData: '',
      evictionPolicy: '',
      location: machine.location,
      name: machine.name,
      osProfile: { computerName: machine.name },
      osType: 'Linux',
      placementGroupId: '',
      platformFaultDomain: '0',
      platformUpdateDomain: '0',
      priority: '',
      provider: 'Microsoft.Compute',
      resourceGroupName: machine.resourceGroup,
      resourceId: machine.resourceId,
      subscriptionId: machine.subscription,
      tags: tags.map(([name, value]) => `${name}:${value}`).join(';'),
      tagsList: tags.map(([name, value]) => ({ name, value })),
      userData: machine.userData,
      vmId: machine.vmId,
      vmScaleSetName: '',
      vmSize: machine.vmSize,
      zone: '',
    },
    network: {
      interface: [
        {
          ipv4: {
            ipAddress: [
              { privateIpAddress: machine.privateAddress, publicIpAddress: machine.publicAddress ?? '' },
            ],
          },
          ipv6: { ipAddress: [] },
        },
      ],
    },
  };
}
