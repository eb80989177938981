import type { Arm } from '../arm.ts';
import { ArmError, invalidParameter } from '../requests/arm-error.ts';
import type { Size } from './sizes.ts';
import type { VirtualMachineBody } from './virtual-machine-body.ts';

/** Zones that the local region has. */
const ZONES = ['1', '2', '3'];

/** @throws ArmError for a zone that the region or the size does not have; SkuNotAvailable names the zone, as on Azure */
export function requireZone(
  arm: Arm,
  { zones }: Pick<VirtualMachineBody, 'zones'>,
  size: Size,
  id: string,
): void {
  if (zones === undefined || zones.length === 0) return;
  const [zone = ''] = zones;
  if (zones.length > 1)
    throw invalidParameter('zones', `A virtual machine can be in one zone only; found ${zones.join(', ')}.`);
  if (!ZONES.includes(zone))
    throw new ArmError(
      400,
      'InvalidAvailabilityZone',
      `The zone(s) '${zone}' for resource '${id}' is not supported. The supported zones for location '${arm.location}' are '${ZONES.join(',')}'`,
    );
  if (!size.zones.includes(zone))
    throw new ArmError(
      409,
      'SkuNotAvailable',
      `The requested VM size for resource '${id}' is currently not available in location '${arm.location}' zones '${zone}' for subscription '${arm.subscription}'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.`,
    );
}
