import { ArmError } from '../requests/arm-error.ts';
import type { Size } from './sizes.ts';
import type { VirtualMachineProperties } from './virtual-machine-body.ts';

/**
 * What Azure asks of spot VMs. https://learn.microsoft.com/azure/virtual-machines/error-codes-spot
 * @throws ArmError with Azure's code
 */
export function requireSpotRules(
  {
    priority,
    evictionPolicy,
    billingProfile,
  }: Pick<VirtualMachineProperties, 'priority' | 'evictionPolicy' | 'billingProfile'>,
  size: Size,
): void {
  const refuse = (code: string, message: string): never => {
    throw new ArmError(409, code, message);
  };
  const isSpot = priority === 'Spot' || priority === 'Low';
  const maxPrice = billingProfile?.maxPrice;
  if (!isSpot && evictionPolicy !== undefined)
    refuse(
      'EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines',
      'Eviction policy can be set only on Azure Spot Virtual Machines.',
    );
  if (!isSpot && maxPrice !== undefined)
    refuse(
      'MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines',
      'Max price is supported only for Azure Spot Virtual Machines.',
    );
  if (maxPrice !== undefined && maxPrice !== -1 && maxPrice <= 0)
    refuse(
      'MaxPriceValueInvalid',
      'Invalid max price value. The only supported values for max price are -1 or a decimal greater than zero.',
    );
  if (isSpot && !size.spot)
    refuse(
      'AzureSpotIsNotSupportedForThisVMSize',
      `Azure Spot Virtual Machine is not supported for this VM size ${size.name}.`,
    );
}
