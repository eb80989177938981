import type { ContainerNetwork } from '../docker/network.ts';
import type { Machine } from '../model/machine.ts';
import type { ServiceKey } from '../model/service.ts';
import { networkName, searchOf } from '../networks/service-names.ts';
import type { WorkloadPorts } from './ports.ts';

/** The network that an application's containers are in on a machine; undefined: it has no part in the network. */
export const containerNetwork = (
  key: Pick<ServiceKey, 'environment' | 'application'>,
  machine: Pick<Machine, 'network'> | undefined,
): ContainerNetwork | undefined =>
  machine?.network === undefined
    ? undefined
    : {
        name: networkName(key.environment),
        resolver: machine.network.resolver,
        search: searchOf(key),
      };

/** Makes the environment's network on a machine: asked for by the first of its containers there. */
export const opening =
  (
    { networks }: Pick<WorkloadPorts, 'networks'>,
    { environment }: Pick<ServiceKey, 'environment'>,
    machine: Pick<Machine, 'name' | 'address' | 'network'> | undefined,
  ) =>
  async (): Promise<void> => {
    const { name, address, network } = machine ?? {};
    if (name !== undefined && address !== undefined)
      await networks?.open(environment, { name, address, network });
  };
