import type { Issue } from '../model/invalid.ts';
import { nearest } from '../model/nearest.ts';
import type { PoolSpec, Priority } from '../model/pool.ts';
import type { KnownSku } from './offerings/offering.ts';

/** What the region has, against which pools are checked when they are deployed. */
export interface PoolSurroundings {
  readonly location: string;
  readonly skus: readonly KnownSku[];
  priceOf(size: string, priority: Priority): number | undefined;
}

/** What no machine could ever come of: unknown sizes, zones and limits that leave nothing. Pure. */
export function poolFaults(
  pools: Readonly<Record<string, PoolSpec>>,
  around: PoolSurroundings,
): readonly Issue[] {
  return Object.entries(pools).flatMap(([name, spec]) =>
    faultsOf(spec, around).map(({ path, message }) => ({ path: `pools.${name}.${path}`, message })),
  );
}

function faultsOf(spec: PoolSpec, { location, skus, priceOf }: PoolSurroundings): Issue[] {
  const issues: Issue[] = [];
  const known: KnownSku[] = [];
  for (const [index, size] of spec.sizes.entries()) {
    const sku = skus.find(({ name }) => name.toLowerCase() === size.toLowerCase());
    if (sku !== undefined && sku.restricted === undefined) known.push(sku);
    else {
      const usable = skus.filter(({ restricted }) => restricted === undefined).map(({ name }) => name);
      const alike = nearest(size, usable);
      const why =
        sku === undefined
          ? `${location} offers no size ${size}`
          : `this subscription may not have ${size} in ${location} (${sku.restricted})`;
      const hint = alike.length === 0 ? '' : `; the nearest are ${alike.join(', ')}`;
      issues.push({ path: `sizes.${index}`, message: `${why}${hint}` });
    }
  }
  if (known.length === 0) return issues;
  for (const [index, zone] of spec.zones.entries())
    if (!known.some(({ zones }) => zones.includes(zone)))
      issues.push({
        path: `zones.${index}`,
        message: `${location} offers none of the pool's sizes in zone ${zone}: ${known.map(({ name, zones }) => `${name} is in ${zones.join(', ') || 'no zone'}`).join('; ')}`,
      });
  if (spec.spot === 'only' && !known.some(({ spot }) => spot))
    issues.push({ path: 'spot', message: "none of the pool's sizes is to be had as a spot machine" });
  const { hourlyLimit } = spec;
  if (hourlyLimit !== undefined) {
    const priority = spec.spot === 'only' ? 'spot' : 'regular';
    const prices = known.flatMap(({ name }) => priceOf(name, priority) ?? []);
    const least = Math.min(...prices);
    if (prices.length === 0)
      issues.push({
        path: 'hourlyLimit',
        message: `the prices of the pool's sizes in ${location} are not known to Berth, so that the limit could not be kept: leave it out, and set a maximum`,
      });
    else if (least > hourlyLimit)
      issues.push({
        path: 'hourlyLimit',
        message: `the cheapest of the pool's sizes costs $${least}/h, more than the limit of $${hourlyLimit}/h`,
      });
  }
  return issues;
}
