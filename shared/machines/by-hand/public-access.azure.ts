import { found } from '../arm-answers.azure.ts';
import { CREATED_TAG, MACHINE_TAG } from '../arm-bodies.azure.ts';
import type { ArmClients } from '../arm-clients.azure.ts';
import { admissionRules } from './admission-rules.ts';
import type { PublicAccess } from './public-access.ts';

/**
 * https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses: of the SKU Standard, which is closed
 * until a security group opens it.
 */
export function azurePublicAccess({ network, settings, group, begin }: ArmClients): PublicAccess {
  const { location, appNetwork } = settings;
  const tags = (machine: string) => ({ [MACHINE_TAG]: machine, [CREATED_TAG]: new Date().toISOString() });
  return {
    async createPublicIp({ name, machine, dnsLabel }) {
      const existing = await found(network.publicIPAddresses.get(group, name));
      if (existing?.provisioningState === 'Succeeded') return { status: 'done' };
      return begin({ kind: 'public-ip', name }, () =>
        network.publicIPAddresses.createOrUpdate(group, name, {
          location,
          tags: tags(machine),
          sku: { name: 'Standard' },
          publicIPAllocationMethod: 'Static',
          publicIPAddressVersion: 'IPv4',
          ...(dnsLabel !== undefined && { dnsSettings: { domainNameLabel: dnsLabel } }),
        }),
      );
    },
    async publicIp(name) {
      const existing = await found(network.publicIPAddresses.get(group, name));
      return existing && { address: existing.ipAddress, hostname: existing.dnsSettings?.fqdn };
    },
    putSecurityGroup({ name, machine, ...admitted }) {
      return begin({ kind: 'security-group', name }, () =>
        network.networkSecurityGroups.createOrUpdate(group, name, {
          location,
          tags: tags(machine),
          securityRules: admissionRules(appNetwork, admitted).map(({ sources, ports, ...rule }) => ({
            ...rule,
            direction: 'Inbound',
            ...(sources.length === 1
              ? { sourceAddressPrefix: sources[0] ?? '' }
              : { sourceAddressPrefixes: [...sources] }),
            sourcePortRange: '*',
            destinationAddressPrefix: '*',
            ...(ports.length === 1
              ? { destinationPortRange: ports[0] ?? '' }
              : { destinationPortRanges: [...ports] }),
          })),
        }),
      );
    },
  };
}
