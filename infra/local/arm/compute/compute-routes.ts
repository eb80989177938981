import type { Arm } from '../arm.ts';
import type { Route } from '../requests/arm-request.ts';
import { trackedRoutes } from '../resources/tracked.ts';
import { bootDiagnosticsRoutes } from './boot-diagnostics.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { disks } from './disks.ts';
import { evictionRoutes } from './eviction-routes.ts';
import { images } from './images.ts';
import { marketplaceRoutes } from './marketplace-routes.ts';
import { defineVirtualMachineOperations } from './virtual-machine-operations.ts';
import { virtualMachineRoutes } from './virtual-machine-routes.ts';

/** Microsoft.Compute. */
export function computeRoutes(arm: Arm): readonly Route[] {
  defineVirtualMachineOperations(arm);
  return [
    ...virtualMachineRoutes(arm),
    ...evictionRoutes(arm),
    ...bootDiagnosticsRoutes(arm),
    ...trackedRoutes(arm, disks(arm)),
    ...trackedRoutes(arm, images(arm)),
    ...catalogueRoutes(arm),
    ...marketplaceRoutes(arm),
  ];
}
