import { Retryable, Terminal } from '../model/errors.ts';
import { parseImageReference } from '../model/image.ts';
import type { Machine } from '../model/machine.ts';
import { containerName, type Replica, type Service, serviceId, templateOf } from '../model/service.ts';
import { wantsFiles } from './container-files.ts';
import { containerNetwork, opening } from './container-network.ts';
import { demandAt, replicaDemand } from './demand-of.ts';
import { machineComing } from './machine-coming.ts';
import { mayHaveSlot } from './machine-slots.ts';
import { noteWaits } from './note-waits.ts';
import type { StartOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { StartReplica } from './replica-activities.ts';
import { pulledImage, replicaContainer } from './replica-container.ts';
import { startParts } from './start-parts.ts';
import { clearReplica, endReplica } from './stop-replica.ts';
import { all, placeOf } from './stores.ts';
import { claimVolumes, homeOf, volumesOf } from './volumes.ts';

/** Ports of one machine that are tried: others than Berth may use some. */
const MOST_PORTS = 4;

/**
 * Reserves room for a replica, pulls its image, creates and starts its container. A repeated call finds what an earlier
 * one reserved and made. Nothing stays if the service is not this orchestration's any more.
 */
export async function startReplica(ports: WorkloadPorts, input: StartReplica): Promise<StartOutcome> {
  const { stores } = ports;
  if (input.replaces !== undefined) {
    if ((await ownedService(stores, input.key, input.owner)) === undefined) return { outcome: 'superseded' };
    // One that is made anew though it runs may still end in order.
    await clearReplica(ports, { key: input.key, ...input.replaces }, input.revision.spec.stopGrace);
  }
  if (volumesOf(input.revision.spec).length > 0) {
    const home = await homeOf(stores, input.key, input.revision.spec, input.slot);
    if (home.home === 'nowhere') return { outcome: 'no-room', reason: home.why, at: ports.now().getTime() };
    if (!(await endOthers(ports, input))) return { outcome: 'superseded' };
  }
  for (let tries = 1; ; tries += 1) {
    const outcome = await tryStart(ports, input);
    const taken = outcome.outcome === 'refused' && outcome.failure.code === 'port-taken';
    if (!taken || tries === MOST_PORTS) return outcome;
  }
}

async function tryStart(ports: WorkloadPorts, input: StartReplica): Promise<StartOutcome> {
  const { stores, capacity } = ports;
  const { key, owner, revision, slot, generation, avoid } = input;
  const { pool, resources } = revision.spec;
  const id = { key, revision: templateOf(revision), slot, generation };
  const home = await homeOf(stores, key, revision.spec, slot);
  if (home.home === 'nowhere') return { outcome: 'no-room', reason: home.why, at: ports.now().getTime() };
  const [service, reserved] = await Promise.all([
    ownedService(stores, key, owner),
    capacity.reserve(pool, {
      reservation: containerName(id),
      group: serviceId(key),
      demand: demandAt(home, replicaDemand(key, revision.spec, id.revision)),
      avoid,
      owner,
    }),
  ]);
  if (reserved.outcome === 'released') throw new TypeError('a reservation was asked for, not a release');
  if (reserved.outcome === 'no-room') {
    if (service === undefined) return { outcome: 'superseded' };
    const reason = home.home === 'there' ? `${home.why}: ${reserved.reason}` : reserved.reason;
    await noteWaits(stores, key, owner, `it waits for room: ${reason}`);
    return { outcome: 'no-room', reason, at: ports.now().getTime() };
  }
  if (service === undefined) return await withdraw(ports, input);
  const owned = { key, spec: revision.spec, slot };
  if (!(await claimVolumes(ports, owned, reserved.machine, owner))) {
    await capacity.release(pool, containerName(id));
    const reason = `a volume of slot ${slot} was just placed on another machine`;
    return { outcome: 'no-room', reason, at: ports.now().getTime() };
  }
  const replica: Replica = {
    ...id,
    machine: reserved.machine,
    address: reserved.record?.address ?? '',
    ...(reserved.port !== undefined && { port: reserved.port }),
    ...(reserved.gpus.length > 0 && { gpus: [...reserved.gpus] }),
    failures: input.failures,
    status: { state: 'reserved' },
  };
  const ready = reserved.record?.status.state === 'ready' && replica.address !== '';
  if (ready) return await run(ports, input, replica, reserved.record);
  await stores.replicas.upsert(...placeOf.replica(replica), replica);
  return await machineComing(stores, reserved, { pool, resources, owner, cause: input.cause });
}

/** A volume has one writer: what else there is of the slot ends first. @returns false if the service is another's */
async function endOthers(ports: WorkloadPorts, input: StartReplica): Promise<boolean> {
  const { key, owner, revision, slot, generation } = input;
  const rows = await all(ports.stores.replicas.list({ partition: serviceId(key) }));
  const others = rows.filter(
    (row) => row.slot === slot && (row.revision !== templateOf(revision) || row.generation !== generation),
  );
  if (others.length === 0) return true;
  if ((await ownedService(ports.stores, key, owner)) === undefined) return false;
  for (const other of others) await endReplica(ports, other, revision.spec.stopGrace);
  return true;
}

/** On a machine that is ready. */
async function run(
  ports: WorkloadPorts,
  input: StartReplica,
  replica: Replica,
  machine: Machine | undefined,
): Promise<StartOutcome> {
  const { stores, registry } = ports;
  const { key, owner, revision } = input;
  const { repository } = parseImageReference(revision.spec.image);
  try {
    const engine = await ports.engineOf({ name: replica.machine, address: replica.address });
    const image = pulledImage(registry, revision.spec.image, revision.digest);
    const pull = async () => engine.pull(image, await ports.pullToken(repository));
    const first = wantsFiles(revision.spec) || volumesOf(revision.spec).length > 0;
    await bothDone(stores.replicas.upsert(...placeOf.replica(replica), replica), first ? pull() : undefined);
    const network = containerNetwork(key, machine);
    const request = replicaContainer(replica, revision, registry, network);
    const parts = await startParts(ports, engine, replica, revision, request, {
      pull,
      open: opening(ports, key, machine),
    });
    const started = ports.now();
    const containerAddress = network && (await engine.inspect(parts.containerId))?.addresses?.[network.name];
    const running: Replica = {
      ...replica,
      ...parts,
      ...(containerAddress !== undefined && { containerAddress }),
      status: { state: 'running', since: started.toISOString() },
    };
    const [service] = await Promise.all([
      ownedService(stores, key, owner),
      stores.replicas.upsert(...placeOf.replica(running), running),
    ]);
    if (service !== undefined) {
      if (waits(service)) await noteWaits(stores, key, owner, undefined);
      return { outcome: 'started', machine: replica.machine, at: started.getTime() };
    }
    return await withdraw(ports, input);
  } catch (error) {
    if (error instanceof Retryable)
      return {
        outcome: 'unreachable',
        machine: replica.machine,
        reason: error.message,
        at: ports.now().getTime(),
      };
    if (!(error instanceof Terminal)) throw error;
    await clearReplica(ports, replica, 0, revision.spec.pool);
    const failure = { code: error.code, reason: `${error.message} ${error.remedy}` };
    return { outcome: 'refused', failure, at: ports.now().getTime() };
  }
}

const waits = ({ rollout }: Service): boolean => rollout.state === 'rolling' && rollout.waits !== undefined;

/** Another orchestration owns the service: what it wants too is left to it, everything else is taken back. */
async function withdraw(
  ports: WorkloadPorts,
  { key, revision, slot, generation }: StartReplica,
): Promise<StartOutcome> {
  const service = (await ports.stores.services.get(...placeOf.service(key)))?.value;
  const wanted = service?.accepted;
  const id = { key, revision: templateOf(revision), slot, generation };
  if (wanted === undefined || templateOf(wanted) !== id.revision || !mayHaveSlot(wanted.spec, slot))
    await clearReplica(ports, id, 0, revision.spec.pool);
  return { outcome: 'superseded' };
}

/** Waits for both, also when one fails: what comes after a failure then finds what the other wrote. */
async function bothDone(...works: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}
