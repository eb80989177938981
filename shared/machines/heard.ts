import { CloudEvent } from '../model/cloud-event.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { ServiceKey } from '../model/service.ts';
import type { Death, ObservedContainer } from './observation.ts';

/**
 * Reports come every 10 s, and at once when something happens; the record follows every second of the former, since
 * each is two operations on storage. The sweep asks the engine of a machine whose record is 45 s old. Milliseconds.
 */
const RECORD_EVERY = 19_000;
/** A machine that is ready for less than this may not have told its orchestration yet. Milliseconds. */
const ANNOUNCED_AFTER = 60_000;

/**
 * The record of a machine after it reported; undefined if nothing is to be written. The first report of a booting
 * machine means that its engine is up, since only then has it anything to follow.
 */
export function heard(machine: Machine, now: Date): Machine | undefined {
  const heardAt = now.toISOString();
  const { state } = machine.status;
  if (state === 'booting' || state === 'starting' || state === 'silent')
    return { ...machine, heardAt, status: { state: 'ready', since: heardAt } };
  const last = machine.heardAt === undefined ? 0 : Date.parse(machine.heardAt);
  return now.getTime() - last >= RECORD_EVERY ? { ...machine, heardAt } : undefined;
}

/** Whether the orchestration that waits for the machine is to be told: again for a while, as a crash may lose the first. */
export const isNewlyReady = ({ status }: Machine, now: Date): boolean =>
  status.state === 'ready' && now.getTime() - Date.parse(status.since) < ANNOUNCED_AFTER;

/** A container's death as an event; undefined if it is no replica of a service. */
export function replicaDied(
  machine: MachineName,
  { id, labels, exitCode, time }: Death,
): CloudEvent | undefined {
  const key = keyOf(labels);
  if (key === undefined) return undefined;
  return CloudEvent.parse({
    specversion: '1.0',
    type: 'dev.berth.replica.died',
    source: `machines/${machine}`,
    id: `${id}:${time}`,
    time,
    data: { key, container: id, exitCode },
  });
}

function keyOf(labels: Readonly<Record<string, string>>): ServiceKey | undefined {
  const [environment, application, service, ...more] = (labels['berth.service'] ?? '').split('.');
  const key = ServiceKey.safeParse({ environment, application, service });
  return key.success && more.length === 0 ? key.data : undefined;
}

/**
 * A replica that does not answer any more as an event, once a minute for as long as it is reported; undefined if it
 * answers.
 */
export function replicaUnhealthy(
  machine: MachineName,
  { id, labels, unhealthy }: ObservedContainer,
  now: Date,
): CloudEvent | undefined {
  const key = unhealthy && keyOf(labels);
  if (unhealthy === undefined || key === undefined) return undefined;
  const time = now.toISOString();
  const { since, reason, dead } = unhealthy;
  return CloudEvent.parse({
    specversion: '1.0',
    type: 'dev.berth.replica.unhealthy',
    source: `machines/${machine}`,
    id: `${id}:unhealthy:${since}:${time.slice(0, 16)}`,
    time,
    data: { key, container: id, reason, dead },
  });
}
