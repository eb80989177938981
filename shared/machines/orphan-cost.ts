import { hourlyCost } from './by-hand/cost.ts';
import type { TaggedResource } from './cloud.ts';

/**
 * US dollars per hour that a resource costs by itself; undefined where the table of prices does not know its size.
 * NICs and security groups cost nothing. Pure.
 */
export function orphanCost(
  { kind, size }: Pick<TaggedResource, 'kind' | 'size'>,
  priceOf: (size: string) => number | undefined,
): number | undefined {
  const { machine, disk, publicAddress } = hourlyCost({
    hourly: size === undefined ? undefined : priceOf(size),
    publicAddress: true,
  });
  return { vm: machine, disk, 'public-ip': publicAddress, nic: 0, 'security-group': 0 }[kind];
}
