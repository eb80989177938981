import type { Replica } from '../model/service.ts';
import { toldDocuments } from '../state/told-documents.ts';
import type { Stores } from '../workloads/stores.ts';
import type { Networks } from './networks.ts';

/** Whether a name may lead elsewhere after this was written: a replica that only comes was in none. */
const matters = ({ status }: Replica): boolean => status.state !== 'reserved' && status.state !== 'running';

/**
 * Stores whose replicas announce themselves: whoever writes that one became healthy, or is none any more, has every
 * machine of its environment know before it goes on.
 */
export const announcing = (stores: Stores, { announce }: Pick<Networks, 'announce'>): Stores => ({
  ...stores,
  replicas: toldDocuments(stores.replicas, async (replica) => {
    if (matters(replica)) await announce(replica.key);
  }),
});
