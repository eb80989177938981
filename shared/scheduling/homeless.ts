import type { Cordon } from '../model/machine.ts';
import { decide, type Snapshot } from './decide.ts';
import type { Addition } from './grow.ts';
import { demandOfReservation } from './room.ts';
import type { Reservation } from './rows.ts';

const CLOSED: Cordon = { since: new Date(0).toISOString(), by: 'drift', reason: '', drain: true };

/**
 * Why what is reserved on a machine could not be placed on the others of its pool, nor on those that the pool may add;
 * undefined if it could. Nothing is reserved by asking. Pure.
 * @param there reservations on the machine that are to move
 */
export function homeless(
  machine: string,
  there: readonly Reservation[],
  { rooms, machines }: Pick<Snapshot, 'rooms' | 'machines'>,
  addition: Addition,
): string | undefined {
  // What follows the machines goes with this one.
  const moving = there.filter(({ follows }) => follows !== true);
  const changes = moving.map((one) => ({
    kind: 'reserve' as const,
    reservation: one.reservation,
    group: one.group,
    demand: demandOfReservation(one),
    avoid: [],
    owner: 'homeless',
  }));
  // It stays one of the pool's machines, but nothing is placed there.
  const closed = rooms.map((room) => (room.machine === machine ? { ...room, closed: true } : room));
  const others = machines.map((one) => (one.name === machine ? { ...one, cordon: CLOSED } : one));
  const snapshot = { rooms: closed, machines: others, reservations: [] };
  const { results } = decide(snapshot, changes, addition);
  for (const [index, result] of results.entries())
    if (result.outcome === 'no-room') return `${moving[index]?.group}: ${result.reason}`;
  return undefined;
}
