import { Invalid } from '../../../shared/model/invalid.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import { serviceId } from '../../../shared/model/service.ts';
import { RESERVATIONS_RANGE, Reservation } from '../../../shared/scheduling/rows.ts';
import { documents } from '../../../shared/state/documents.ts';
import type { Services } from '../../services.ts';

type Made = Pick<Services, 'stores' | 'tables'>;

/** Names of the replicas and runs that are on a machine, or are about to be. */
export async function occupants(
  { name, pool }: Machine,
  { stores, tables }: Made,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const { value } of stores.replicas.list({}))
    if (value.machine === name) found.add(`${serviceId(value.key)}/${value.slot}.g${value.generation}`);
  if (found.size > 0) return [...found];
  for await (const { value } of documents(tables, 'capacity', Reservation).list({
    partition: pool,
    ...RESERVATIONS_RANGE,
  }))
    if (value.machine === name) found.add(value.reservation);
  return [...found];
}

/** @throws Invalid 409 `machine-occupied`, whose issues name what is there */
export async function refuseOccupied(
  machine: Machine,
  made: Made,
  how: { readonly verb: string; readonly remedy: string },
): Promise<void> {
  const found = await occupants(machine, made);
  if (found.length === 0) return;
  throw new Invalid({
    code: 'machine-occupied',
    status: 409,
    message: `${machine.name} carries ${found.join(', ')}, so it is not ${how.verb}.`,
    remedy: how.remedy,
    issues: found.map((path) => ({ path, message: `is on ${machine.name}` })),
  });
}
