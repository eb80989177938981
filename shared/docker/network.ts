import { z } from 'zod';

/** A network of the engine's own kind, a bridge, as it is asked for. */
export interface BridgeNetwork {
  readonly name: string;
  /** Of its interface on the machine: at most 15 characters. */
  readonly bridge: string;
  /** CIDR. */
  readonly subnet: string;
  readonly gateway: string;
  readonly mtu: number;
  /** Interface from which containers may be reached at their own addresses: engines from 28 on refuse others. */
  readonly trusted: string;
}

/** The network that a container is in. */
export interface ContainerNetwork {
  readonly name: string;
  /** Whom the engine asks for names that it does not know. */
  readonly resolver: string;
  /** What is added to a name that has fewer than three dots, in this order, before it is asked as it is. */
  readonly search: readonly string[];
}

/**
 * Body of POST /networks/create. The engine does not translate addresses: what goes to other machines' containers keeps
 * its own; the machine translates the rest.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#operation/NetworkCreate
 */
export const networkBody = ({ name, bridge, subnet, gateway, mtu, trusted }: BridgeNetwork): unknown => ({
  Name: name,
  CheckDuplicate: true,
  Driver: 'bridge',
  IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] },
  Options: {
    'com.docker.network.bridge.name': bridge,
    'com.docker.network.bridge.enable_ip_masquerade': 'false',
    'com.docker.network.bridge.trusted_host_interfaces': trusted,
    'com.docker.network.driver.mtu': String(mtu),
  },
});

/** Answer of GET /networks/{name}, as far as it is used. */
export const InspectedNetwork = z.object({
  IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string() })).nullish() }),
});

export const isSuchNetwork = (
  { IPAM }: z.infer<typeof InspectedNetwork>,
  { subnet }: Pick<BridgeNetwork, 'subnet'>,
): boolean => IPAM.Config?.some(({ Subnet }) => Subnet === subnet) ?? false;

/** Members of `HostConfig` of a container in such a network. */
export const networkConfig = ({ name, resolver, search }: ContainerNetwork): Record<string, unknown> => ({
  NetworkMode: name,
  Dns: [resolver],
  DnsSearch: search,
  DnsOptions: ['ndots:3'],
});
