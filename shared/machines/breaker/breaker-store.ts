import type { PoolName } from '../../model/names.ts';
import { documents } from '../../state/documents.ts';
import type { Tables } from '../../state/tables.ts';
import { afterFailure, Breaker, isEndedBy } from './breaker.ts';

/** Breakers of pools: table `breakers`, partition pool, one row. */
export interface BreakerStore {
  get(pool: string): Promise<Breaker | undefined>;
  all(): Promise<ReadonlyMap<string, Breaker>>;
  /** Counts a machine's failure, once. */
  failed(pool: PoolName, failure: Parameters<typeof afterFailure>[1]): Promise<void>;
  /** A machine became ready: failures before that count no more. */
  succeeded(pool: PoolName, readySince: string): Promise<void>;
  reset(pool: PoolName): Promise<void>;
}

const ROW = 'breaker';

export function breakerStore(tables: Tables, now: () => Date): BreakerStore {
  const store = documents(tables, 'breakers', Breaker);
  return {
    get: async (pool) => (await store.get(pool, ROW))?.value,
    async all() {
      const found = new Map<string, Breaker>();
      for await (const { partition, value } of store.list({})) found.set(partition, value);
      return found;
    },
    async failed(pool, failure) {
      await store.update(pool, ROW, (current) => afterFailure(current, failure, now()));
    },
    async succeeded(pool, readySince) {
      const found = await store.get(pool, ROW);
      if (found !== undefined && isEndedBy(found.value, readySince)) await store.delete(pool, ROW);
    },
    reset: (pool) => store.delete(pool, ROW),
  };
}
