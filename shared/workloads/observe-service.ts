import type { Container, Engine } from '../docker/engine.ts';
import { Retryable } from '../model/errors.ts';
import type { Machine } from '../model/machine.ts';
import { containerName, type Replica, type ReplicaStatus, serviceId } from '../model/service.ts';
import { endedStatus, failuresOf } from './check-replica.ts';
import { machineSlots } from './machine-slots.ts';
import { observedOf } from './observed.ts';
import type { ObserveOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { ObserveService } from './replica-activities.ts';
import { serviceLabel } from './replica-container.ts';
import { all, placeOf } from './stores.ts';

/** Looks at all replicas of a service, in the records and on their machines, and records what differs. */
export async function observeService(ports: WorkloadPorts, input: ObserveService): Promise<ObserveOutcome> {
  const { stores } = ports;
  const { key, owner } = input;
  const [service, rows, machines] = await Promise.all([
    ownedService(stores, key, owner),
    all(stores.replicas.list({ partition: serviceId(key) })),
    all(stores.machines.list({})),
  ]);
  if (service === undefined) return { outcome: 'superseded' };
  const names = [...new Set(rows.map(({ machine }) => machine))];
  const looks = new Map(
    await Promise.all(
      names.map(async (name) => {
        const machine = machines.find((one) => one.name === name);
        return [name, await lookAt(ports, machine, [serviceLabel(key)])] as const;
      }),
    ),
  );
  const observed = await Promise.all(
    rows.map(async (row) => {
      const look = looks.get(row.machine) ?? { found: 'lost' };
      const status = await statusOf(row, look, ports.now());
      if (status === undefined) return row;
      const changed: Replica = { ...row, status, failures: failuresOf(row, status) };
      await stores.replicas.upsert(...placeOf.replica(row), changed);
      return changed;
    }),
  );
  const { follows } = input;
  const own = observed.filter(({ revision }) => revision === follows?.template);
  const slots = follows && machineSlots(follows.spec, machines, own);
  return {
    outcome: 'observed',
    replicas: observed.map(observedOf),
    leaving: leavingOf(machines, names),
    ...(slots && { slots }),
  };
}

/** Which of these machines are drained. */
export const leavingOf = (machines: readonly Machine[], names: readonly string[]): readonly string[] =>
  machines.flatMap(({ name, cordon }) => (cordon?.drain === true && names.includes(name) ? [name] : []));

/** What a machine's engine says of its containers. */
export type Look =
  | { readonly found: 'containers'; readonly engine: Engine; readonly containers: readonly Container[] }
  /** It does not answer just now: what is known stays. */
  | { readonly found: 'nothing' }
  | { readonly found: 'coming' }
  | { readonly found: 'lost' };

/**
 * Asks an engine twice. One that does not answer makes no machine lost: it may be booting, or the app itself was away.
 * The sweep of machines asks for longer, and what it then calls silent is lost.
 */
export async function lookAt(
  ports: WorkloadPorts,
  machine: Machine | undefined,
  labels: readonly string[],
): Promise<Look> {
  if (machine === undefined || machine.status.state === 'failed') return { found: 'lost' };
  if (machine.status.state === 'provisioning' || machine.status.state === 'booting')
    return { found: 'coming' };
  const { name, address } = machine;
  if (address === undefined) return { found: 'lost' };
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      const engine = await ports.engineOf({ name, address });
      return { found: 'containers', engine, containers: await engine.list(labels) };
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
    }
  }
  return { found: machine.status.state === 'silent' ? 'lost' : 'nothing' };
}

/** The status that a row should have; undefined if it has it. */
export async function statusOf(row: Replica, look: Look, now: Date): Promise<ReplicaStatus | undefined> {
  const { state } = row.status;
  if (look.found === 'nothing' || look.found === 'coming' || state === 'exited' || state === 'lost')
    return undefined;
  if (look.found === 'lost')
    return state === 'reserved' ? undefined : { state: 'lost', at: now.toISOString() };
  const container = look.containers.find(({ name }) => name === containerName(row));
  if (container === undefined && state === 'reserved') return undefined;
  if (container?.state.state === 'created') return undefined;
  if (container?.state.state === 'running')
    return state === 'reserved' ? { state: 'running', since: container.state.startedAt } : undefined;
  return await endedStatus(look.engine, container, now);
}
