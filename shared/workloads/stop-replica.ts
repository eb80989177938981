import { poolOf } from '../machines/machine-names.ts';
import { Retryable, Terminal } from '../model/errors.ts';
import type { PoolName } from '../model/names.ts';
import { containerName, type Replica, type ServiceKey } from '../model/service.ts';
import type { ReplicaId } from './observed.ts';
import type { StopOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import { removeContainer } from './remove-container.ts';
import type { StopReplica } from './replica-activities.ts';
import { removeSidecars } from './sidecars.ts';
import { placeOf } from './stores.ts';

/** Seconds between SIGTERM and SIGKILL where the revision is not known any more. */
const USUAL_GRACE = 10;

/** Stops and removes a replica's container, releases its room and deletes its row; what is gone already is no error. */
export async function stopReplica(ports: WorkloadPorts, input: StopReplica): Promise<StopOutcome> {
  const { key, owner, replica } = input;
  const [service, revision] = await Promise.all([
    ownedService(ports.stores, key, owner),
    ports.stores.revisions.get(...placeOf.revision(key, replica.revision)),
  ]);
  if (service === undefined) return { outcome: 'superseded' };
  await endReplica(ports, { key, ...replica }, revision?.value.spec.stopGrace ?? USUAL_GRACE);
  return { outcome: 'stopped' };
}

/** Takes a replica out of those that serve, and ends it. */
export async function endReplica(
  ports: WorkloadPorts,
  id: ReplicaId & { readonly key: ServiceKey },
  grace: number,
): Promise<void> {
  await announceEnd(ports, id);
  await clearReplica(ports, id, grace);
}

/** Milliseconds that whoever sends requests to healthy replicas has to see that one is none any more. */
export const NOTICED_MS = 1_000;

/** A replica that serves is taken out of those that do before it is stopped. */
async function announceEnd(
  ports: WorkloadPorts,
  id: ReplicaId & { readonly key: ServiceKey },
): Promise<void> {
  const { stores, now, sleep } = ports;
  const replica = (await stores.replicas.get(...placeOf.replica(id)))?.value;
  if (replica?.revision !== id.revision || replica.port === undefined || replica.status.state !== 'healthy')
    return;
  const status = { state: 'unhealthy', since: now().toISOString(), reason: 'it is being stopped' } as const;
  await stores.replicas.upsert(...placeOf.replica(replica), { ...replica, status });
  await Promise.all([sleep(NOTICED_MS), ports.withdrawn?.(replica)]);
}

/**
 * The same without a fence. A machine that does not answer keeps the container until the sweep finds it there.
 * @param pool where room may be reserved though no row was written yet
 */
export async function clearReplica(
  ports: WorkloadPorts,
  id: ReplicaId & { readonly key: ServiceKey },
  grace: number,
  pool?: PoolName,
): Promise<void> {
  const { stores, capacity } = ports;
  const replica = (await stores.replicas.get(...placeOf.replica(id)))?.value;
  const own = replica?.revision === id.revision ? replica : undefined;
  if (own !== undefined) await stopAndRemove(ports, own, grace);
  const there = pool ?? (own && poolOf(own.machine));
  if (there !== undefined) await capacity.release(there, containerName(id));
  if (own !== undefined) await stores.replicas.delete(...placeOf.replica(id));
}

async function stopAndRemove(ports: WorkloadPorts, replica: Replica, grace: number): Promise<void> {
  if (replica.address === '') return;
  try {
    const engine = await ports.engineOf({ name: replica.machine, address: replica.address });
    const container = await engine.inspect(containerName(replica));
    if (container === undefined) return;
    if (container.state.state === 'running' && grace > 0) await engine.stop(container.id, grace);
    await removeSidecars(ports, engine, container, replica.machine, grace);
    await removeContainer(ports, engine, container, replica.machine);
  } catch (error) {
    if (!(error instanceof Retryable) && !(error instanceof Terminal)) throw error;
  }
}
