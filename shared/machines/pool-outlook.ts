import type { Machine } from '../model/machine.ts';
import { PoolSpec } from '../model/pool.ts';
import type { Outlook } from '../scheduling/grow.ts';
import { limitsAt } from '../scheduling/pool-limits.ts';
import { restingReason } from './breaker/breaker.ts';
import type { BreakerStore } from './breaker/breaker-store.ts';
import type { Offers } from './offerings/offers.ts';

/**
 * What a pool may grow to now: its limits in force, what is to be had, and whether it rests after failures.
 * @param growing false: only the limits are asked for
 */
export async function poolOutlook(
  pool: string,
  from: {
    readonly poolSpec: (pool: string) => Promise<PoolSpec | undefined>;
    /** Of all pools. */
    readonly machines: () => Promise<readonly Machine[]>;
    readonly offers: Pick<Offers, 'rank'>;
    readonly breakers: Pick<BreakerStore, 'get'>;
    readonly now: () => Date;
  },
  growing = true,
): Promise<Outlook> {
  const [stored, machines, breaker] = await Promise.all([
    from.poolSpec(pool),
    growing ? from.machines() : [],
    growing ? from.breakers.get(pool) : undefined,
  ]);
  const spec = stored ?? PoolSpec.parse({});
  const now = from.now();
  return {
    maximum: limitsAt(spec, now).maximum,
    hourlyLimit: spec.hourlyLimit,
    ranked: growing ? await from.offers.rank(pool, spec, machines) : { offerings: [], passed: [] },
    labels: spec.labels,
    resting: (coming) => restingReason(breaker, coming, now),
  };
}
