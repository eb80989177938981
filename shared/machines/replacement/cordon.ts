import { Terminal } from '../../model/errors.ts';
import type { Cordon, Machine } from '../../model/machine.ts';
import { BY_HAND } from '../machine-names.ts';

/** What outweighs what: a machine that Azure takes away goes, whatever else is to come of it. */
const RANKS: Readonly<Record<Cordon['by'], number>> = {
  user: 1,
  expiry: 2,
  drift: 2,
  maintenance: 3,
  removal: 4,
  eviction: 5,
};

/** Milliseconds that runs of jobs may take until they are stopped, where nobody said another time. */
export const USUAL_DRAIN_MS = 3_600_000;

/** States in which a machine may carry something. */
const CORDONED: ReadonlySet<Machine['status']['state']> = new Set([
  'provisioning',
  'booting',
  'ready',
  'silent',
]);

/** The machine with this cordon; undefined where it has a weightier one, or the same. Pure. */
export function cordoned(machine: Machine, wanted: Cordon): Machine | undefined {
  const { cordon, status } = machine;
  if (!CORDONED.has(status.state)) return undefined;
  if (cordon === undefined || RANKS[wanted.by] > RANKS[cordon.by]) return { ...machine, cordon: wanted };
  if (wanted.by !== cordon.by) return undefined;
  const isSame = wanted.drain === cordon.drain && wanted.until === cordon.until;
  return isSame ? undefined : { ...machine, cordon: { ...wanted, since: cordon.since } };
}

/** @throws Terminal `machine-by-hand`, `machine-not-usable` (409) */
export function expectCordonable({ name, pool, status }: Machine): void {
  if (pool === BY_HAND)
    throw new Terminal({
      code: 'machine-by-hand',
      status: 409,
      message: `${name} was made by hand: nothing is placed there that could move.`,
      remedy: `Stop it (berth machine stop ${name}) or remove it (berth machine rm ${name}).`,
    });
  if (CORDONED.has(status.state)) return;
  throw new Terminal({
    code: 'machine-not-usable',
    status: 409,
    message: `${name} is ${status.state}: nothing is placed there.`,
    remedy: `Look at it: berth machine inspect ${name}`,
  });
}

/**
 * The machine without its cordon; undefined if it has none.
 * @throws Terminal `cordon-not-yours` (409): Azure takes it away, or its pool wants another one in its place
 */
export function uncordoned(machine: Machine): Machine | undefined {
  const { cordon, ...open } = machine;
  if (cordon === undefined) return undefined;
  if (cordon.by === 'user' || cordon.by === 'removal' || cordon.by === 'maintenance') return open;
  throw new Terminal({
    code: 'cordon-not-yours',
    status: 409,
    message: `${machine.name} is cordoned by ${cordon.by}: ${cordon.reason}.`,
    remedy:
      cordon.by === 'eviction'
        ? 'Nothing is to be done: Azure takes it away.'
        : 'Machines of a pool with budget: 0 are not replaced.',
  });
}
