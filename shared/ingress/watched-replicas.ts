import type { Replica } from '../model/service.ts';
import type { Documents } from '../state/documents.ts';
import { isIngress } from './ingress-application.ts';
import type { Notice } from './notice.ts';

/**
 * Records of replicas whose writers wait until the ingress knows what they wrote. A replica that was only reserved or
 * started has never served: its start is not held up.
 */
export function watchedReplicas(replicas: Documents<Replica>, notice: Notice): Documents<Replica> {
  const tell = async ({ key, status }: Replica): Promise<void> => {
    const isSilent = status.state === 'reserved' || (status.state === 'running' && !isIngress(key));
    if (!isSilent) await notice.changed(key);
  };
  return {
    ...replicas,
    async insert(partition, row, value) {
      const stored = await replicas.insert(partition, row, value);
      await tell(value);
      return stored;
    },
    async replace(before, value) {
      const stored = await replicas.replace(before, value);
      await tell(value);
      return stored;
    },
    async upsert(partition, row, value) {
      const stored = await replicas.upsert(partition, row, value);
      await tell(value);
      return stored;
    },
    async update(partition, row, change) {
      let written: Replica | undefined;
      const result = await replicas.update(partition, row, (current) => {
        written = change(current);
        return written;
      });
      if (written !== undefined) await tell(written);
      return result;
    },
  };
}
