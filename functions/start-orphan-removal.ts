import type { DurableClient } from 'durable-functions';
import type { Orphan } from '../shared/machines/orphans.ts';
import { orphanRemovalId, removeOrphans } from '../shared/machines/provisioning.ts';
import { isGoing } from './instances.ts';

/** Begins to delete what belongs to no machine, all of one machine together, if that is not under way. */
export async function startOrphanRemoval(
  client: DurableClient,
  machine: string,
  orphans: readonly Orphan[],
): Promise<void> {
  const instanceId = orphanRemovalId(machine);
  if (await isGoing(client, instanceId)) return;
  const input = { machine, orphans: orphans.map(({ kind, name }) => ({ kind, name })) };
  await client.startNew(removeOrphans.name, { instanceId, input });
}
