import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { sameId } from '../resources/resource.ts';
import { type Size, sizeNamed } from './sizes.ts';
import { hardwareOf, isSpot } from './virtual-machine.ts';

export interface CoresInUse {
  readonly regional: number;
  readonly families: ReadonlyMap<string, number>;
  /** Spot VMs, which count here alone. */
  readonly spot: number;
}

/** Cores of every VM that has a record: a deallocated one keeps its quota, as on Azure. */
export function coresInUse(arm: Arm, except?: string): CoresInUse {
  const families = new Map<string, number>();
  let [regional, spot] = [0, 0];
  for (const vm of arm.resources.list('vm')) {
    const size = sizeNamed(hardwareOf(vm));
    if (size === undefined || sameId(vm.id, except ?? '')) continue;
    if (isSpot(vm)) spot += size.cores;
    else {
      regional += size.cores;
      families.set(size.family, (families.get(size.family) ?? 0) + size.cores);
    }
  }
  return { regional, families, spot };
}

export const familyLimit = ({ quota }: Arm, family: string): number =>
  quota.families?.[family] ?? quota.familyCores;

export const spotLimit = ({ quota }: Arm): number => quota.spotCores ?? quota.regionalCores;

/** @throws ArmError OperationNotAllowed or QuotaExceeded with Azure's words, from which clients read which quota it is */
export function requireQuota(arm: Arm, size: Size, vmId: string, spot: boolean): void {
  const used = coresInUse(arm, vmId);
  const require = (code: string, what: string, limit: number, usage: number): void => {
    if (usage + size.cores <= limit) return;
    throw new ArmError(
      409,
      code,
      `Operation could not be completed as it results in exceeding approved ${what} quota. Additional details - Deployment Model: Resource Manager, Location: ${arm.location}, Current Limit: ${limit}, Current Usage: ${usage}, Additional Required: ${size.cores}, (Minimum) New Limit Required: ${usage + size.cores}.`,
    );
  };
  if (spot) {
    require('OperationNotAllowed', 'LowPriorityCores', spotLimit(arm), used.spot);
    return;
  }
  const { family } = size;
  require('QuotaExceeded', `${family} Cores`, familyLimit(arm, family), used.families.get(family) ?? 0);
  require('OperationNotAllowed', 'Total Regional Cores', arm.quota.regionalCores, used.regional);
}
