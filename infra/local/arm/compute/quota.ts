import type { Arm } from '../arm.ts';
import { ArmError } from '../requests/arm-error.ts';
import { sameId } from '../resources/resource.ts';
import { type Size, sizeNamed } from './sizes.ts';
import { hardwareOf } from './virtual-machine.ts';

/** Cores of every VM that has a record: a deallocated one keeps its quota, as on Azure. */
export function coresInUse(
  arm: Arm,
  except?: string,
): { regional: number; families: ReadonlyMap<string, number> } {
  const families = new Map<string, number>();
  let regional = 0;
  for (const vm of arm.resources.list('vm')) {
    const size = sizeNamed(hardwareOf(vm));
    if (size === undefined || sameId(vm.id, except ?? '')) continue;
    regional += size.cores;
    families.set(size.family, (families.get(size.family) ?? 0) + size.cores);
  }
  return { regional, families };
}

/** @throws ArmError OperationNotAllowed or QuotaExceeded with Azure's words, from which clients read which quota it is */
export function requireQuota(arm: Arm, size: Size, vmId: string): void {
  const used = coresInUse(arm, vmId);
  const refuse = (code: string, what: string, limit: number, usage: number): never => {
    throw new ArmError(
      409,
      code,
      `Operation could not be completed as it results in exceeding approved ${what} quota. Additional details - Deployment Model: Resource Manager, Location: ${arm.location}, Current Limit: ${limit}, Current Usage: ${usage}, Additional Required: ${size.cores}, (Minimum) New Limit Required: ${usage + size.cores}.`,
    );
  };
  const family = used.families.get(size.family) ?? 0;
  if (family + size.cores > arm.quota.familyCores)
    refuse('QuotaExceeded', `${size.family} Cores`, arm.quota.familyCores, family);
  if (used.regional + size.cores > arm.quota.regionalCores)
    refuse('OperationNotAllowed', 'Total Regional Cores', arm.quota.regionalCores, used.regional);
}
