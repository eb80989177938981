import { Replica, type ReplicaStatus, serviceId } from '../model/service.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { Conflict, type Row, type Write } from '../state/tables.ts';
import { sameReplica } from './observed.ts';
import type { SwitchOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { SwitchReplicas } from './replica-activities.ts';
import { NOTICED_MS } from './stop-replica.ts';

/** Rows that one transaction changes. */
const MOST_AT_ONCE = 100;
const MOST_ATTEMPTS = 20;

/**
 * Has requests go to some replicas, and no longer to others: whoever sends them sees all of it or nothing, up to 100
 * replicas. Of more, those that are to serve come first, so that never nobody does.
 */
export async function switchReplicas(ports: WorkloadPorts, input: SwitchReplicas): Promise<SwitchOutcome> {
  const { stores, now, sleep } = ports;
  const { key, owner } = input;
  if ((await ownedService(stores, key, owner)) === undefined) return { outcome: 'superseded' };
  const { tables } = stores;
  const partition = serviceId(key);
  for (let attempt = 1; ; attempt += 1) {
    const rows: Row[] = [];
    for await (const row of tables.list('replicas', { partition })) rows.push(row);
    const at = now().toISOString();
    const writes = [
      ...rows.flatMap((row) => changed(row, input.serve, 'standby', { state: 'healthy', since: at })),
      ...rows.flatMap((row) => changed(row, input.rest, 'healthy', { state: 'standby', since: at })),
    ];
    try {
      for (let from = 0; from < writes.length; from += MOST_AT_ONCE)
        await tables.commit('replicas', partition, writes.slice(from, from + MOST_AT_ONCE));
      // Requests under way on those that rest end as if they were to be stopped.
      const rest = rows
        .map(({ values }) => documentOf(Replica, values))
        .filter((replica) => input.rest.some((id) => sameReplica(id, replica)));
      if (writes.length > 0)
        await Promise.all([
          sleep(NOTICED_MS),
          ports.switched?.(key),
          ...rest.map((replica) => ports.withdrawn?.(replica)),
        ]);
      return { outcome: 'switched' };
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

/** The write that has a replica be `status` if it is one of these and `from` now. */
function changed(
  row: Row,
  of: SwitchReplicas['serve'],
  from: 'healthy' | 'standby',
  status: ReplicaStatus,
): Write[] {
  const replica = documentOf(Replica, row.values);
  if (replica.status.state !== from || !of.some((id) => sameReplica(id, replica))) return [];
  return [{ kind: 'replace', row: row.row, etag: row.etag, values: documentValues({ ...replica, status }) }];
}
