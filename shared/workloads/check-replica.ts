import type { Container, Engine } from '../docker/engine.ts';
import { Retryable } from '../model/errors.ts';
import type { Replica, ReplicaStatus } from '../model/service.ts';
import { failuresAfter } from './back-off.ts';
import { lastLines } from './last-lines.ts';
import { observedOf } from './observed.ts';
import type { CheckOutcome } from './outcomes.ts';
import { ownedService } from './ownership.ts';
import type { WorkloadPorts } from './ports.ts';
import type { CheckReplica } from './replica-activities.ts';
import { placeOf } from './stores.ts';

/** How long one check asks before it answers that the replica is not healthy yet; milliseconds. */
const PATIENCE_MS = 5_000;
/** A service without a port is healthy once its container has run this long. */
const RUNS_MS = 1_000;
const SHORTEST_PAUSE_MS = 50;
/** Where only that time decides, a look in between is enough: engines have others to start meanwhile. */
const LOOK_MS = RUNS_MS / 2;

/** Asks a replica for its health until it is healthy, has ended, or patience is over; records what it found. */
export async function checkReplica(ports: WorkloadPorts, input: CheckReplica): Promise<CheckOutcome> {
  const { key, owner, replica: id, spec } = input;
  const [service, stored] = await Promise.all([
    ownedService(ports.stores, key, owner),
    ports.stores.replicas.get(...placeOf.replica({ key, ...id })),
  ]);
  if (service === undefined) return { outcome: 'superseded' };
  const replica = stored?.value;
  if (replica === undefined || replica.revision !== id.revision)
    return { outcome: 'observed', state: { phase: 'lost' }, failures: 0 };
  const found = await ask(ports, replica, spec);
  const status: ReplicaStatus =
    found.state === 'healthy' && input.standby === true ? { ...found, state: 'standby' } : found;
  const checked: Replica = { ...replica, status, failures: failuresOf(replica, status) };
  if (status.state !== replica.status.state)
    await ports.stores.replicas.upsert(...placeOf.replica(replica), checked);
  return { outcome: 'observed', state: observedOf(checked).state, failures: checked.failures };
}

async function ask(
  ports: WorkloadPorts,
  replica: Replica,
  spec: CheckReplica['spec'],
): Promise<ReplicaStatus> {
  const { health } = spec;
  const began = ports.now().getTime();
  const byTime = health.command === undefined && replica.port === undefined;
  let pause = byTime ? LOOK_MS : SHORTEST_PAUSE_MS;
  if (byTime) await ports.sleep(pause);
  for (;;) {
    const reason = await reasonOf(ports, replica, health);
    const now = ports.now();
    if (reason === undefined) return { state: 'healthy', since: now.toISOString() };
    const ended = await endOf(ports, replica);
    if (ended !== undefined) return ended;
    if (now.getTime() - began >= PATIENCE_MS) return { state: 'unhealthy', since: now.toISOString(), reason };
    await ports.sleep(pause);
    if (!byTime) pause = Math.min(pause * 2, health.interval * 1000);
  }
}

/** Why it is not healthy: by its command, its port, or, where it has neither, since it runs too short a time. */
async function reasonOf(
  ports: WorkloadPorts,
  replica: Replica,
  health: CheckReplica['spec']['health'],
): Promise<string | undefined> {
  const { command, path } = health;
  const byPort = command === undefined || path !== undefined;
  const reason = byPort ? await byAnswer(ports, replica, health) : undefined;
  return reason === undefined && command !== undefined ? await byCommand(ports, replica) : reason;
}

async function byAnswer(
  ports: WorkloadPorts,
  replica: Replica,
  health: CheckReplica['spec']['health'],
): Promise<string | undefined> {
  if (replica.port === undefined) return await runsFor(ports, replica);
  const { address, port } = replica;
  return await ports.probe.ask(
    { address, port, path: health.path },
    Math.min(health.timeout * 1000, PATIENCE_MS),
  );
}

/** The engine runs the command, and is asked what came of it. */
async function byCommand(ports: WorkloadPorts, replica: Replica): Promise<string | undefined> {
  try {
    const engine = await ports.engineOf({ name: replica.machine, address: replica.address });
    const health = (await engine.inspect(replica.containerId ?? ''))?.health;
    if (health?.status === 'healthy') return undefined;
    return health === undefined || health.said === ''
      ? 'its health command has not answered yet'
      : `its health command failed: ${health.said}`;
  } catch (error) {
    if (error instanceof Retryable) return `the engine of machine ${replica.machine} does not answer`;
    throw error;
  }
}

/** Why a service without a port is not healthy: its container runs too short a time. */
async function runsFor(ports: WorkloadPorts, replica: Replica): Promise<string | undefined> {
  const since = 'since' in replica.status ? Date.parse(replica.status.since) : ports.now().getTime();
  if (ports.now().getTime() - since < RUNS_MS) return 'it has only just started';
  return (await endOf(ports, replica)) === undefined ? undefined : 'it ended';
}

/** How the container ended, if it did; an engine that does not answer says nothing about it. */
async function endOf(ports: WorkloadPorts, replica: Replica): Promise<ReplicaStatus | undefined> {
  try {
    const engine = await ports.engineOf({ name: replica.machine, address: replica.address });
    const container = await engine.inspect(replica.containerId ?? '');
    return await endedStatus(engine, container, ports.now());
  } catch (error) {
    if (error instanceof Retryable) return undefined;
    throw error;
  }
}

/** Exit code of a container that somebody removed. */
const REMOVED = 137;

/** The status of a container that ended or was removed; undefined if it runs or was not started yet. */
export async function endedStatus(
  engine: Engine,
  container: Container | undefined,
  now: Date,
): Promise<ReplicaStatus | undefined> {
  if (container === undefined)
    return {
      state: 'exited',
      at: now.toISOString(),
      exitCode: REMOVED,
      lastLines: ['(the container was removed)'],
    };
  const { state } = container;
  if (state.state !== 'exited') return undefined;
  const lines = await lastLines(engine, container.id);
  if (state.outOfMemory) lines.push('(ended by the kernel: out of memory)');
  const ended = new Date(state.finishedAt);
  const at = Number.isNaN(ended.getTime()) ? now : ended;
  return { state: 'exited', at: at.toISOString(), exitCode: state.exitCode, lastLines: lines };
}

/** Early ends in a row, now that a replica has this status. */
export function failuresOf(replica: Replica, status: ReplicaStatus): number {
  if (status.state !== 'exited' || replica.status.state === 'exited') return replica.failures;
  const since =
    replica.status.state === 'healthy' || replica.status.state === 'standby'
      ? Date.parse(replica.status.since)
      : undefined;
  return failuresAfter(replica.failures, since, Date.parse(status.at));
}
