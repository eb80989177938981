import type { DurableClient } from 'durable-functions';
import { type Sighted, unrecorded } from '../shared/machines/orphans.ts';
import type { Machine } from '../shared/model/machine.ts';
import { isGoing } from './instances.ts';
import type { Services } from './services.ts';

/** What records and ARM say of machines at this moment. */
export async function sightMachines(
  made: Pick<Services, 'now' | 'machines' | 'cloud' | 'stores'>,
  client: DurableClient,
): Promise<Sighted> {
  const [records, resources] = await Promise.all([made.machines.list(), made.cloud.tagged()]);
  const going = await goingOf(records, client);
  const isNeeded = unrecorded({ records, resources }).size > 0;
  const occupied = isNeeded ? await occupiedMachines(made) : new Set<string>();
  return { now: made.now(), records, resources, going, occupied };
}

/** Owners whose orchestration is going on, of the records for which that matters. */
async function goingOf(records: readonly Machine[], client: DurableClient): Promise<Set<string>> {
  const going = await Promise.all(
    records
      .filter(
        ({ status, leftovers }) =>
          leftovers.length > 0 || (status.state !== 'ready' && status.state !== 'silent'),
      )
      .map(async ({ owner }) => ((await isGoing(client, owner)) ? [owner] : [])),
  );
  return new Set(going.flat());
}

async function occupiedMachines({ stores }: Pick<Services, 'stores'>): Promise<Set<string>> {
  const occupied = new Set<string>();
  for await (const { value } of stores.replicas.list({})) occupied.add(value.machine);
  return occupied;
}
