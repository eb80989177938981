import { decide, type Snapshot } from './decide.ts';
import type { Addition } from './grow.ts';
import type { Reservation } from './rows.ts';

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
  const changes = there.map(({ reservation, group, cpu, memory, port }) => ({
    kind: 'reserve' as const,
    reservation,
    group,
    demand: { cpu, memory, port: port !== undefined },
    avoid: [machine],
    owner: 'homeless',
  }));
  const { results } = decide({ rooms, machines, reservations: [] }, changes, addition);
  for (const [index, result] of results.entries())
    if (result.outcome === 'no-room') return `${there[index]?.group}: ${result.reason}`;
  return undefined;
}
