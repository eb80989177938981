import type { Machine } from '../../model/machine.ts';
import type { PoolSpec, Priority } from '../../model/pool.ts';
import { usable } from '../usable.ts';
import { type KnownSku, type Offering, offeringText, REGIONAL, SPOT, type Usages } from './offering.ts';
import { QUOTA_LINK } from './shortage.ts';
import { blocking, type Unavailable } from './unavailable.ts';

export interface Situation {
  readonly spec: Pick<PoolSpec, 'sizes' | 'zones' | 'spot'>;
  /** Sizes of the region. */
  readonly skus: readonly KnownSku[];
  /** Quotas; undefined where Azure did not say: then it says so when a machine is asked for. */
  readonly usages: Usages | undefined;
  readonly unavailable: readonly Unavailable[];
  /** Machines of the pool, those on their way too. */
  readonly machines: readonly Pick<Machine, 'zone' | 'status'>[];
  /** Cores of machines that were asked for and are not in `usages` yet. */
  readonly coming: readonly Pick<Offering, 'family' | 'priority' | 'cores'>[];
  priceOf(size: string, priority: Priority): number | undefined;
  readonly now: Date;
}

/** Offerings that may be asked for now, most preferred first, and why the others may not. */
export interface Ranked {
  readonly offerings: readonly Offering[];
  readonly passed: readonly { readonly offering: string; readonly reason: string }[];
}

/**
 * What a machine of a pool may be: its sizes in their order; of each spot before regular where the pool prefers it; and
 * of those the zone with the fewest machines of the pool. Pure.
 */
export function rankOfferings(situation: Situation): Ranked {
  const { spec, skus, unavailable, now } = situation;
  const offerings: Offering[] = [];
  const passed: { offering: string; reason: string }[] = [];
  for (const name of spec.sizes) {
    const sku = skus.find((one) => one.name.toLowerCase() === name.toLowerCase());
    const fault = sku === undefined ? 'the region does not offer it' : restriction(sku);
    if (sku === undefined || fault !== undefined) {
      passed.push({ offering: name, reason: fault ?? '' });
      continue;
    }
    for (const offering of offeringsOf(sku, situation)) {
      const blocked = blocking(offering, unavailable, now);
      const reason =
        whyNot(offering, sku) ??
        overQuota(offering, situation) ??
        (blocked && `Azure refused it, and is not asked again until ${blocked.until}: ${blocked.reason}`);
      if (reason === undefined) offerings.push(offering);
      else passed.push({ offering: offeringText(offering), reason });
    }
  }
  return { offerings, passed };
}

const restriction = ({ restricted }: KnownSku): string | undefined =>
  restricted === undefined ? undefined : `this subscription may not have it in the region (${restricted})`;

function offeringsOf(sku: KnownSku, { spec, machines, priceOf }: Situation): Offering[] {
  const priorities: readonly Priority[] = { never: ['regular'], prefer: ['spot', 'regular'], only: ['spot'] }[
    spec.spot
  ] as Priority[];
  const zones = spec.zones.length === 0 ? [undefined] : byFewest(spec.zones, machines);
  return priorities.flatMap((priority) => {
    const hourly = priceOf(sku.name, priority);
    return zones.map((zone) => ({
      size: sku.name,
      ...(zone !== undefined && { zone }),
      priority,
      family: sku.family,
      cores: sku.cores,
      ...usable(sku),
      ...(sku.gpus !== undefined && sku.gpus > 0 && { gpu: sku.gpus }),
      ...(hourly !== undefined && { hourly }),
    }));
  });
}

/** Zones with the fewest machines first, so that the loss of one takes as few as may be; otherwise in the pool's order. */
function byFewest(zones: readonly string[], machines: Situation['machines']): readonly string[] {
  const count = (zone: string) =>
    machines.filter((machine) => machine.zone === zone && machine.status.state !== 'failed').length;
  return [...new Set(zones)].sort((a, b) => count(a) - count(b));
}

function whyNot({ zone, priority }: Offering, sku: KnownSku): string | undefined {
  if (zone !== undefined && !sku.zones.includes(zone)) {
    const there = sku.zones.length === 0 ? 'it has none here' : `it is in ${sku.zones.join(', ')}`;
    return `it is not to be had in zone ${zone}: ${there}`;
  }
  return priority === 'spot' && !sku.spot ? 'it is not to be had as a spot machine' : undefined;
}

/** Spot machines count against a quota of their own, regular ones against that of their family and of the region. */
function overQuota({ family, priority, cores }: Offering, { usages, coming }: Situation): string | undefined {
  const names = priority === 'spot' ? [SPOT] : [family, REGIONAL];
  for (const name of names) {
    const usage = usages?.of.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (usage === undefined) continue;
    const soon = coming
      .filter((one) => one.priority === priority && (name !== family || one.family === family))
      .reduce((sum, one) => sum + one.cores, 0);
    const used = usage.current + soon;
    if (used + cores > usage.limit)
      return `the quota ${usage.name} has ${usage.limit} cores, ${used} are in use${soon > 0 ? ' or asked for' : ''}, and it needs ${cores}: ask for more at ${QUOTA_LINK}`;
  }
  return undefined;
}
