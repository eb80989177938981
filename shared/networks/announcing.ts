import type { Replica } from '../model/service.ts';
import type { Documents } from '../state/documents.ts';
import type { Stores } from '../workloads/stores.ts';
import type { Networks } from './networks.ts';

/**
 * Stores whose replicas announce themselves: whoever writes that one became healthy, or is none any more, has every
 * machine of its environment know before it goes on.
 */
export function announcing(stores: Stores, networks: Pick<Networks, 'announce'>): Stores {
  return { ...stores, replicas: announcingReplicas(stores.replicas, networks) };
}

/** Whether a name may lead elsewhere after this was written: a replica that only comes was in none. */
const matters = ({ status }: Replica): boolean => status.state !== 'reserved' && status.state !== 'running';

function announcingReplicas(
  replicas: Documents<Replica>,
  { announce }: Pick<Networks, 'announce'>,
): Documents<Replica> {
  const told = async (value: Replica | undefined): Promise<void> => {
    if (value !== undefined && matters(value)) await announce(value.key);
  };
  return {
    get: (partition, row) => replicas.get(partition, row),
    list: (range) => replicas.list(range),
    async insert(partition, row, value) {
      const stored = await replicas.insert(partition, row, value);
      await told(value);
      return stored;
    },
    async replace(before, value) {
      const stored = await replicas.replace(before, value);
      await told(value);
      return stored;
    },
    async upsert(partition, row, value) {
      const stored = await replicas.upsert(partition, row, value);
      await told(value);
      return stored;
    },
    async delete(partition, row) {
      const before = await replicas.get(partition, row);
      await replicas.delete(partition, row);
      await told(before?.value);
    },
    async update(partition, row, change) {
      const value = await replicas.update(partition, row, change);
      await told(value);
      return value;
    },
  };
}
