import { documents } from '../../state/documents.ts';
import { tableKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';
import { scopeKey, Unavailable } from './unavailable.ts';

/** What Azure refused, of all pools, since they share quotas and capacity: table `unavailable`, one partition. */
export interface UnavailableStore {
  list(): Promise<readonly Unavailable[]>;
  add(unavailable: Unavailable): Promise<void>;
  remove(unavailable: Unavailable): Promise<void>;
}

const PARTITION = 'region';

export function unavailableStore(tables: Tables): UnavailableStore {
  const store = documents(tables, 'unavailable', Unavailable);
  const rowOf = ({ scope }: Unavailable) => tableKey(scopeKey(scope));
  return {
    async list() {
      const found: Unavailable[] = [];
      for await (const { value } of store.list({ partition: PARTITION })) found.push(value);
      return found;
    },
    async add(unavailable) {
      await store.upsert(PARTITION, rowOf(unavailable), unavailable);
    },
    remove: (unavailable) => store.delete(PARTITION, rowOf(unavailable)),
  };
}
