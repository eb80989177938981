import { newMachineName } from '../shared/machines/machine-names.ts';
import { poolOutlook } from '../shared/machines/pool-outlook.ts';
import { leftOn } from '../shared/machines/replacement/drain-state.ts';
import type { Machine } from '../shared/model/machine.ts';
import { isVolumeReservation } from '../shared/model/volume-record.ts';
import { homeless } from '../shared/scheduling/homeless.ts';
import { LIMITS_ROW, MACHINES_RANGE, MachineRoom, type Reservation } from '../shared/scheduling/rows.ts';
import { documentOf } from '../shared/state/documents.ts';
import { placeOf } from '../shared/workloads/stores.ts';
import type { Services } from './services.ts';

/**
 * Why the replicas on a machine have no other room now, neither on machines that there are nor on those that its pool
 * may add; undefined if they have. Runs of jobs are left to end where they are.
 * @param reservations of the machine's pool at least
 */
export async function homelessOn(
  { name, pool }: Machine,
  reservations: readonly Reservation[],
  made: Pick<Services, 'now' | 'machines' | 'stores' | 'tables' | 'offers' | 'breakers'>,
): Promise<string | undefined> {
  const volumes = reservations.filter(
    ({ machine, reservation }) => machine === name && isVolumeReservation(reservation),
  );
  const [volume] = volumes;
  if (volume !== undefined)
    return `it holds ${volumes.map(({ reservation }) => reservation).join(', ')}, whose data is nowhere else: berth volumes ls`;
  const services = new Set(leftOn(name, reservations).services);
  const there = reservations.filter(({ machine, group }) => machine === name && services.has(group));
  if (there.length === 0) return undefined;
  const rooms: MachineRoom[] = [];
  for await (const { row, values } of made.tables.list('capacity', { partition: pool, ...MACHINES_RANGE }))
    if (row !== LIMITS_ROW) rooms.push(documentOf(MachineRoom, values));
  const outlook = await poolOutlook(pool, {
    poolSpec: async (of) => (await made.stores.pools.get(...placeOf.pool(of)))?.value,
    machines: () => made.machines.list(),
    offers: made.offers,
    breakers: made.breakers,
    now: made.now,
  });
  return homeless(
    name,
    there,
    { rooms, machines: await made.machines.list(pool) },
    { ...outlook, newName: () => newMachineName(pool, Math.random), now: made.now().toISOString() },
  );
}
