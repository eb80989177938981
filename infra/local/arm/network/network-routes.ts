import type { Arm } from '../arm.ts';
import { forwardings } from '../balancing/balancing.ts';
import type { Route } from '../requests/arm-request.ts';
import type { Resource } from '../resources/resource.ts';
import { trackedRoutes } from '../resources/tracked.ts';
import { applicationGroups } from './application-groups.ts';
import { affected, enforce } from './inbound-rules.ts';
import { interfaces } from './interfaces.ts';
import { loadBalancers } from './load-balancers.ts';
import { publicAddresses } from './public-addresses.ts';
import { securityGroups } from './security-groups.ts';
import { securityRuleRoutes } from './security-rule-routes.ts';
import { subnetRoutes } from './subnet-routes.ts';
import { virtualNetworks } from './virtual-networks.ts';

/** Microsoft.Network. */
export function networkRoutes(arm: Arm): readonly Route[] {
  const enforceRules = (changed: Resource): Promise<void> => enforce(arm, affected(arm, changed));
  const balance = (going?: Resource): Promise<void> => arm.forwarder.set(forwardings(arm, going));
  return [
    ...trackedRoutes(arm, virtualNetworks(arm, enforceRules)),
    ...subnetRoutes(arm),
    ...trackedRoutes(arm, securityGroups(arm, enforceRules)),
    ...securityRuleRoutes(arm),
    ...trackedRoutes(arm, applicationGroups(arm)),
    ...trackedRoutes(arm, publicAddresses(arm)),
    ...trackedRoutes(arm, loadBalancers(arm, balance)),
    ...trackedRoutes(
      arm,
      interfaces(arm, async (nic) => {
        await enforceRules(nic);
        await balance();
      }),
    ),
  ];
}
