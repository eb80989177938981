import { Retryable, Terminal } from '../model/errors.ts';
import { containerName, type Replica, ServiceKey, serviceId } from '../model/service.ts';
import type { WorkloadPorts } from './ports.ts';
import { labels } from './replica-container.ts';
import { all } from './stores.ts';

/** A container as its machine reports it. */
interface Reported {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'running' | 'exited';
}

/**
 * A machine that was silent reports again. What it still runs of slots that were given to others meanwhile is ended at
 * once: generations of a slot only grow, so a container without a record is superseded if its slot has a record of a
 * higher one. What no slot answers for is left to the sweep.
 * @returns names of the containers that were removed
 */
export async function fenceMachine(
  ports: Pick<WorkloadPorts, 'stores' | 'engineOf'>,
  machine: { readonly name: string; readonly address: string },
  reported: readonly Reported[],
): Promise<readonly string[]> {
  const running = reported.filter((one) => one.state === 'running' && labels.service in one.labels);
  const services = new Set(running.map((one) => one.labels[labels.service] ?? ''));
  const rows = new Map<string, readonly Replica[]>();
  for (const service of services) {
    const [environment, application, name] = service.split('.');
    const key = ServiceKey.safeParse({ environment, application, service: name }).data;
    if (key === undefined) continue;
    rows.set(service, await all(ports.stores.replicas.list({ partition: serviceId(key) })));
  }
  const superseded = running.filter((one) =>
    isSuperseded(one, rows.get(one.labels[labels.service] ?? '') ?? [], machine.name),
  );
  if (superseded.length === 0) return [];
  const engine = await ports.engineOf(machine);
  const removed: string[] = [];
  for (const { id, name } of superseded)
    try {
      await engine.remove(id);
      removed.push(name);
    } catch (error) {
      // The sweep finds it there.
      if (!(error instanceof Retryable) && !(error instanceof Terminal)) throw error;
    }
  return removed;
}

function isSuperseded(container: Reported, replicas: readonly Replica[], machine: string): boolean {
  const slot = Number(container.labels[labels.slot] ?? Number.NaN);
  const generation = Number(container.labels[labels.generation] ?? Number.NaN);
  const isOwn = (one: Replica) => one.machine === machine && containerName(one) === container.name;
  if (!Number.isInteger(slot) || !Number.isInteger(generation) || replicas.some(isOwn)) return false;
  return replicas.some((one) => one.slot === slot && one.generation > generation);
}
