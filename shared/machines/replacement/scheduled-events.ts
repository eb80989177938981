import type { Cordon, Machine } from '../../model/machine.ts';
import type { ScheduledEvent } from '../observation.ts';
import { cordoned } from './cordon.ts';

/** Events that end a machine, and those that only interrupt it. A frozen machine goes on where it was. */
const ENDS: ReadonlySet<string> = new Set(['Preempt', 'Terminate']);
const INTERRUPTS: ReadonlySet<string> = new Set(['Reboot', 'Redeploy']);

export interface Announced {
  /** The record as it should be; absent: as it is. */
  readonly machine?: Machine;
  readonly approve: readonly string[];
}

/**
 * What Azure's announcements make of a machine: one that it takes away or interrupts is cordoned and drained until then,
 * and the event approved once nothing is on it. When maintenance is over or called off the machine is open again. Pure.
 */
export function announced(machine: Machine, events: readonly ScheduledEvent[], now: Date): Announced {
  const own = events.filter(({ Resources }) => Resources.includes(machine.resources.vm));
  const freezes = own.filter((event) => !isHeeded(event) && event.EventStatus === 'Scheduled');
  const heeded = own.filter(isHeeded);
  const approve = freezes.map(({ EventId }) => EventId);
  if (machine.hand !== undefined) return { approve };
  const [first] = heeded.toSorted((a, b) => Number(ENDS.has(b.EventType)) - Number(ENDS.has(a.EventType)));
  if (first === undefined) {
    const { cordon, ...open } = machine;
    return cordon?.by === 'maintenance' ? { machine: open, approve } : { approve };
  }
  const changed = cordoned(machine, cordonFor(machine, first, now));
  const current = changed ?? machine;
  const isFree = current.cordon?.drainedAt !== undefined;
  const ready = heeded.filter(({ EventStatus }) => isFree && EventStatus === 'Scheduled');
  return {
    ...(changed !== undefined && { machine: changed }),
    approve: [...approve, ...ready.map(({ EventId }) => EventId)],
  };
}

const isHeeded = ({ EventType }: ScheduledEvent): boolean => ENDS.has(EventType) || INTERRUPTS.has(EventType);

/** One that has started has no time left, except that which was said before. */
function cordonFor({ cordon }: Machine, { EventType, NotBefore }: ScheduledEvent, now: Date): Cordon {
  const by = ENDS.has(EventType) ? 'eviction' : 'maintenance';
  const said = Date.parse(NotBefore);
  const until = Number.isNaN(said)
    ? cordon?.by === by && cordon.until !== undefined
      ? cordon.until
      : now.toISOString()
    : new Date(said).toISOString();
  const reason = `Azure announced a ${EventType} for ${until}`;
  return { since: now.toISOString(), by, reason, drain: true, until };
}
