import { Terminal } from '../../model/errors.ts';
import type { Priority } from '../../model/pool.ts';
import { type KnownSku, REGIONAL, SPOT, type Usages } from '../offerings/offering.ts';
import { QUOTA_LINK } from '../offerings/shortage.ts';

/**
 * Whether the quotas have room for one more machine, before Azure is asked. Pure.
 * @throws Terminal `quota-exceeded` (409) with the family, the limit, the usage and where to ask for more
 */
export function requireQuota(
  { name, family, cores }: Pick<KnownSku, 'name' | 'family' | 'cores'>,
  priority: Priority,
  location: string,
  { of: usages }: Usages,
): void {
  for (const quota of priority === 'spot' ? [SPOT] : [family, REGIONAL]) {
    const usage = usages.find((one) => one.name.toLowerCase() === quota.toLowerCase());
    if (usage === undefined || usage.current + cores <= usage.limit) continue;
    throw new Terminal({
      code: 'quota-exceeded',
      status: 409,
      message: `${name} needs ${cores} cores of the quota ${quota} in ${location}, of whose ${usage.limit} cores ${usage.current} are in use.`,
      remedy: `Ask Azure for more (${QUOTA_LINK}), choose a size of another family, or remove a machine.`,
    });
  }
}
