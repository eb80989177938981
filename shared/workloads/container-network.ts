import type { ContainerNetwork } from '../docker/network.ts';
import { SYSTEM_ENVIRONMENT } from '../ingress/ingress-application.ts';
import type { Machine } from '../model/machine.ts';
import type { ServiceKey } from '../model/service.ts';
import { networkName, searchOf } from '../networks/service-names.ts';
import type { WorkloadPorts } from './ports.ts';

/**
 * The network that an application's containers are in on a machine; undefined: the machine has no part in the network,
 * or it is an application of Berth's own, the ingress among them, which serves all environments and is in none's network.
 */
export const containerNetwork = (
  key: Pick<ServiceKey, 'environment' | 'application'>,
  machine: Pick<Machine, 'network'> | undefined,
): ContainerNetwork | undefined =>
  machine?.network === undefined || key.environment === SYSTEM_ENVIRONMENT
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
