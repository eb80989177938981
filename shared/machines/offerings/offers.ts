import type { Machine } from '../../model/machine.ts';
import type { PoolSpec, Priority } from '../../model/pool.ts';
import type { KnownSku, Usages } from './offering.ts';
import { type Ranked, rankOfferings } from './rank-offerings.ts';
import type { Region } from './region.ts';
import type { Shortage } from './shortage.ts';
import { blocking, type Unavailable, unavailableAfter } from './unavailable.ts';
import type { UnavailableStore } from './unavailable-store.ts';

/** What machines of pools may be at the moment, and what Azure refused. */
export interface Offers {
  /** @param machines records of all pools: those on their way count against quotas, those of the pool take zones */
  rank(pool: string, spec: PoolSpec, machines: readonly Machine[]): Promise<Ranked>;
  /** Azure refused a machine: what it was is not asked for again for a while. */
  refused(machine: Machine, shortage: Shortage, reason: string): Promise<void>;
  /** What is not asked for now. */
  unavailable(): Promise<readonly Unavailable[]>;
  /** Forgets what Azure refused, as far as it concerns a pool. */
  reset(spec: PoolSpec): Promise<void>;
}

export function offers(from: {
  readonly region: Region;
  readonly store: UnavailableStore;
  readonly priceOf: (size: string, priority: Priority) => number | undefined;
  readonly now: () => Date;
}): Offers {
  const { region, store, priceOf, now } = from;
  const sku = async (size: string): Promise<KnownSku | undefined> =>
    (await region.skus()).find(({ name }) => name.toLowerCase() === size.toLowerCase());
  const unavailable = async () =>
    (await store.list()).filter(({ until }) => Date.parse(until) > now().getTime());
  return {
    async rank(pool, spec, machines) {
      const [skus, usages, blocked] = await Promise.all([
        region.skus(),
        // Quotas are a courtesy: without them Azure itself refuses.
        region.usages().catch(() => undefined),
        unavailable(),
      ]);
      return rankOfferings({
        spec,
        skus,
        usages,
        unavailable: blocked,
        machines: machines.filter((machine) => machine.pool === pool),
        coming: machines
          .filter((machine) => isUncounted(machine, usages))
          .flatMap((machine) => coresOf(machine, skus)),
        priceOf,
        now: now(),
      });
    },
    async refused(machine, shortage, reason) {
      const over = (await store.list()).filter(({ until }) => Date.parse(until) <= now().getTime());
      for (const one of over) await store.remove(one);
      const { size, zone, priority } = machine;
      const known = await sku(size);
      const { family = '', cores = machine.cpu } = known ?? {};
      const offering = { size, priority, family, cores, ...(zone !== undefined && { zone }) };
      await store.add(unavailableAfter(shortage, offering, { now: now(), reason, machine: machine.name }));
    },
    unavailable,
    async reset(spec) {
      const skus = await region.skus();
      for (const one of await store.list()) if (concerns(one, spec, skus)) await store.remove(one);
    },
  };
}

/** Asked for, or about to be, and not in what Azure said of its quotas. */
function isUncounted({ status, createdAt, hand }: Machine, usages: Usages | undefined): boolean {
  if (usages === undefined || hand !== undefined) return false;
  if (status.state === 'provisioning') return true;
  const began = createdAt ?? ('since' in status ? status.since : undefined);
  return status.state === 'booting' && began !== undefined && Date.parse(began) > usages.at.getTime();
}

const coresOf = ({ size, priority }: Machine, skus: readonly KnownSku[]) => {
  const found = skus.find(({ name }) => name.toLowerCase() === size.toLowerCase());
  return found === undefined ? [] : [{ family: found.family, cores: found.cores, priority }];
};

const concerns = (one: Unavailable, spec: PoolSpec, skus: readonly KnownSku[]): boolean =>
  skus
    .filter(({ name }) => spec.sizes.some((size) => size.toLowerCase() === name.toLowerCase()))
    .some(({ name, family, cores }) =>
      [undefined, ...spec.zones].some((zone) =>
        (['spot', 'regular'] as const).some(
          (priority) =>
            blocking(
              { size: name, family, cores, priority, ...(zone !== undefined && { zone }) },
              [one],
              new Date(0),
            ) !== undefined,
        ),
      ),
    );
