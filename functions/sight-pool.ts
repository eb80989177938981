import { newMachineName } from '../shared/machines/machine-names.ts';
import { poolOutlook } from '../shared/machines/pool-outlook.ts';
import type { PoolName } from '../shared/model/names.ts';
import type { PoolSpec } from '../shared/model/pool.ts';
import { reservationsOf } from '../shared/scheduling/close-room.ts';
import type { Sight } from '../shared/scheduling/explain.ts';
import { LIMITS_ROW, MACHINES_RANGE, MachineRoom } from '../shared/scheduling/rows.ts';
import { documentOf } from '../shared/state/documents.ts';
import type { Services } from './services.ts';

/** A pool as it is now, to answer questions about: nothing is reserved by them. @param spec in place of the stored one */
export async function sightPool(
  pool: PoolName,
  made: Pick<Services, 'now' | 'machines' | 'stores' | 'tables' | 'offers' | 'breakers'>,
  spec?: PoolSpec,
): Promise<Sight> {
  const pools = new Map<string, PoolSpec>();
  for await (const { row, value } of made.stores.pools.list({})) pools.set(row, value);
  if (spec !== undefined) pools.set(pool, spec);
  const rooms: MachineRoom[] = [];
  for await (const { row, values } of made.tables.list('capacity', { partition: pool, ...MACHINES_RANGE }))
    if (row !== LIMITS_ROW) rooms.push(documentOf(MachineRoom, values));
  const [outlook, machines, reservations] = await Promise.all([
    poolOutlook(pool, {
      poolSpec: async (of) => pools.get(of),
      machines: () => made.machines.list(),
      offers: made.offers,
      breakers: made.breakers,
      now: made.now,
    }),
    made.machines.list(pool),
    reservationsOf(pool, made.tables),
  ]);
  const addition = {
    ...outlook,
    newName: () => newMachineName(pool, Math.random),
    now: made.now().toISOString(),
  };
  return { pool, rooms, machines, reservations, addition, pools };
}
