import type { Services } from '../../functions/services.ts';
import { breakerStore } from '../../shared/machines/breaker/breaker-store.ts';
import type { Offering } from '../../shared/machines/offerings/offering.ts';
import { offers } from '../../shared/machines/offerings/offers.ts';
import { priceOf } from '../../shared/machines/offerings/prices.ts';
import { memoryRegion } from '../../shared/machines/offerings/region.memory.ts';
import type { Region } from '../../shared/machines/offerings/region.ts';
import { unavailableStore } from '../../shared/machines/offerings/unavailable-store.ts';
import { poolOutlook } from '../../shared/machines/pool-outlook.ts';
import type { PoolSpec } from '../../shared/model/pool.ts';
import { capacity } from '../../shared/scheduling/capacity.ts';
import type { Outlook } from '../../shared/scheduling/grow.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import type { Tables } from '../../shared/state/tables.ts';
import { all, stores } from '../../shared/workloads/stores.ts';

export type PoolServices = Pick<Services, 'offers' | 'breakers' | 'workloads' | 'region'>;

/** What pools need of services: a region in memory, breakers, and the books of their capacity. */
export function poolServices({
  tables = memoryTables(),
  now = () => new Date(),
  random = Math.random,
  sleep = async () => {},
  spec,
  region = memoryRegion(now),
}: {
  readonly tables?: Tables;
  readonly now?: () => Date;
  readonly random?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** Of every pool; absent: what is stored. */
  readonly spec?: PoolSpec;
  readonly region?: Region;
} = {}): PoolServices {
  const documents = stores(tables);
  const breakers = breakerStore(tables, now);
  const offered = offers({
    region,
    store: unavailableStore(tables),
    priceOf: (size, priority) => priceOf('westeurope', size, priority),
    now,
  });
  const books = capacity({
    tables,
    machines: (pool) => all(documents.machines.list({ partition: pool })),
    outlook: (pool, growing) =>
      poolOutlook(
        pool,
        {
          poolSpec: async (name) => spec ?? (await documents.pools.get('pools', name))?.value,
          machines: () => all(documents.machines.list({})),
          offers: offered,
          breakers,
          now,
        },
        growing,
      ),
    now,
    random,
    sleep,
  });
  return { region, breakers, offers: offered, workloads: { capacity: books } as Services['workloads'] };
}

/** A pool that gets machines of one kind, as long as its limits let it. */
export function plainOutlook(
  limits: { readonly maximum?: number; readonly hourlyLimit?: number } = {},
  kind: Partial<Offering> = {},
): Outlook {
  const offering: Offering = {
    size: 'Standard_B2s',
    priority: 'regular',
    family: 'standardBSFamily',
    cores: 2,
    cpu: 2,
    memory: 4096,
    ...kind,
  };
  const { maximum = 3, hourlyLimit } = limits;
  return { maximum, hourlyLimit, ranked: { offerings: [offering], passed: [] }, resting: () => undefined };
}
