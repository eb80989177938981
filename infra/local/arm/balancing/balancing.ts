import type { Arm } from '../arm.ts';
import { membersOf, type Part, partsOf } from '../network/load-balancers.ts';
import { type Resource, sameId } from '../resources/resource.ts';
import type { Forwarding } from './forwarder.ts';

const partById = (parts: readonly Part[], reference: unknown): Part | undefined =>
  parts.find(({ id }) => sameId(id, (reference as { readonly id: string } | undefined)?.id ?? ''));

/** What load balancers ask for: from which port to which members. Only TCP is forwarded. @param except one that goes */
export const forwardings = (arm: Arm, except?: Resource): readonly Forwarding[] =>
  arm.resources.list('loadBalancer').flatMap((balancer) =>
    balancer.id === except?.id
      ? []
      : partsOf(balancer, 'loadBalancingRules').flatMap(({ properties }): Forwarding[] => {
          const pool = partById(partsOf(balancer, 'backendAddressPools'), properties.backendAddressPool);
          const probe = partById(partsOf(balancer, 'probes'), properties.probe)?.properties;
          if (pool === undefined || properties.protocol !== 'Tcp') return [];
          const port = Number(properties.frontendPort);
          return [
            {
              port,
              to: Number(properties.backendPort ?? port),
              members: membersOf(arm, pool.id).map(({ address }) => address),
              ...(probe !== undefined && {
                probe: { port: Number(probe.port), seconds: Number(probe.intervalInSeconds) },
              }),
            },
          ];
        }),
  );
