import type { Container } from '../docker/engine.ts';
import type { Run } from '../model/job.ts';
import type { Machine } from '../model/machine.ts';
import type { MachineName } from '../model/names.ts';
import { PoolName } from '../model/names.ts';
import { containerName, type Replica, type Service, serviceId, templateOf } from '../model/service.ts';
import { isVolumeReservation } from '../model/volume-record.ts';
import { RESERVATIONS_RANGE, Reservation } from '../scheduling/rows.ts';
import { documents } from '../state/documents.ts';
import { failuresOf } from './check-replica.ts';
import { replicaDemand } from './demand-of.ts';
import { type Finding, namesOf, repairOf, type SweptService, strayReplica, strayRun } from './findings.ts';
import { machineSlots } from './machine-slots.ts';
import { type Look, leavingOf, lookAt, statusOf } from './observe-service.ts';
import { observedOf } from './observed.ts';
import type { WorkloadPorts } from './ports.ts';
import { removeContainer } from './remove-container.ts';
import { labels } from './replica-container.ts';
import { effectiveRevision } from './roll-out.ts';
import { all, placeOf } from './stores.ts';

/**
 * Compares all services with what runs on the machines.
 * @param isLive whether an orchestration is pending or running
 */
export async function sweepServices(
  ports: WorkloadPorts,
  isLive: (instanceId: string) => Promise<boolean>,
): Promise<readonly Finding[]> {
  const { stores } = ports;
  const services = await all(stores.services.list({}));
  const machines = await all(stores.machines.list({}));
  if (services.length === 0 && machines.length === 0) return [];
  const replicas = await all(stores.replicas.list({}));
  const looks = new Map<string, Look>(
    await Promise.all(
      machines.map(
        async (machine) => [machine.name, await lookAt(ports, machine, [labels.environment])] as const,
      ),
    ),
  );
  const swept = new Map<string, SweptService>();
  for (const service of services) {
    const own = replicas.filter(({ key }) => serviceId(key) === serviceId(service.key));
    const leaving = leavingOf(
      machines,
      own.map(({ machine }) => machine),
    );
    const one = await sweepService(ports, service, own, looks, isLive);
    const { revision } = one;
    const current = own.filter((replica) => revision && replica.revision === templateOf(revision));
    const slots = revision && machineSlots(revision.spec, machines, current);
    swept.set(serviceId(service.key), { ...one, leaving, slots });
  }
  const now = ports.now().getTime();
  const repairs = [...swept.values()].flatMap((one) => repairOf(one, now) ?? []);
  const strays = await Promise.all(
    machines.map((machine) => straysOf(ports, machine, looks, replicas, swept)),
  );
  return [...repairs, ...strays.flat(), ...(await reservationsOf(ports, replicas, swept))];
}

async function sweepService(
  ports: WorkloadPorts,
  service: Service,
  replicas: readonly Replica[],
  looks: ReadonlyMap<string, Look>,
  isLive: (instanceId: string) => Promise<boolean>,
): Promise<SweptService> {
  const { key, accepted, healthyRevision, owner } = service;
  const revisionOf = async (number: number | undefined) => {
    if (number === undefined || accepted?.number === number)
      return number === undefined ? undefined : accepted;
    return (await ports.stores.revisions.get(...placeOf.revision(key, number)))?.value;
  };
  const observed = await Promise.all(
    replicas.map(async (row) => {
      const status = await statusOf(row, looks.get(row.machine) ?? { found: 'lost' }, ports.now());
      return observedOf(status === undefined ? row : { ...row, status, failures: failuresOf(row, status) });
    }),
  );
  return {
    service,
    replicas,
    observed,
    revision: await revisionOf(effectiveRevision(service)),
    healthy: await revisionOf(healthyRevision),
    owned: owner !== undefined && (await isLive(owner)),
  };
}

/** Containers on a machine that no record stands for. Rows are written before containers are made: a second look decides. */
async function straysOf(
  ports: WorkloadPorts,
  machine: Machine,
  looks: ReadonlyMap<string, Look>,
  replicas: readonly Replica[],
  swept: ReadonlyMap<string, SweptService>,
): Promise<Finding[]> {
  const look = looks.get(machine.name);
  const { name, address } = machine;
  if (look?.found !== 'containers' || address === undefined) return [];
  const known = namesOf(replicas.filter((replica) => replica.machine === name));
  const findings: Finding[] = [];
  for (const container of look.containers) {
    const whose = standsFor(container);
    if (known.has(whose) || isNew(container, ports.now())) continue;
    const job = container.labels[labels.job];
    const run = container.labels[labels.run];
    if (job !== undefined && run !== undefined) {
      const found: Run | undefined = (await ports.stores.runs.get(job, run))?.value;
      findings.push(...[strayRun(found, name, container) ?? []].flat());
      continue;
    }
    const finding = strayReplica(
      swept.get(container.labels[labels.service] ?? ''),
      { name, address },
      container,
    );
    const service = container.labels[labels.service];
    if (finding === undefined || (await hasRow(ports, whose, service, name))) continue;
    findings.push(finding);
  }
  return findings;
}

/** The container that this one is for: a sidecar's, that to which files are carried, or itself. */
const standsFor = ({ name, labels: given }: Container): string =>
  given[labels.filesOf] ?? given[labels.sidecarOf] ?? name;

/** A container that was started only just now may be somebody's step: it is looked at the next time; milliseconds. */
const NEW_MS = 30_000;
const isNew = ({ state }: Container, now: Date): boolean =>
  state.state === 'running' && now.getTime() - Date.parse(state.startedAt) < NEW_MS;

/** @param machine on this one; absent: on any */
async function hasRow(
  { stores }: WorkloadPorts,
  name: string,
  service: string | undefined,
  machine?: MachineName,
): Promise<boolean> {
  if (service === undefined) return false;
  // A slot that was emptied and filled again may have the same name on another machine.
  for await (const { value } of stores.replicas.list({ partition: service }))
    if (containerName(value) === name && (machine === undefined || value.machine === machine)) return true;
  return false;
}

/**
 * Reservations whose replica has no row, or whose run is over, and which no live orchestration may be about to use; and
 * replicas that run without one.
 */
async function reservationsOf(
  ports: WorkloadPorts,
  replicas: readonly Replica[],
  swept: ReadonlyMap<string, SweptService>,
): Promise<Finding[]> {
  const { stores } = ports;
  const known = namesOf(replicas);
  const reserved = new Set<string>();
  const findings: Finding[] = [];
  for await (const { partition, value } of documents(stores.tables, 'capacity', Reservation).list(
    RESERVATIONS_RANGE,
  )) {
    const { reservation, group } = value;
    reserved.add(reservation);
    // A volume keeps its machine until somebody removes it.
    if (known.has(reservation) || isVolumeReservation(reservation)) continue;
    const service = swept.get(group);
    if (service?.owned === true) continue;
    const run = /^(?<id>ev-[0-9a-f]{40}(-\d+)?)\.a\d+$/.exec(reservation)?.groups?.['id'];
    if (run === undefined && (await isOwnedNow(ports, service?.service))) continue;
    const going =
      run === undefined
        ? await hasRow(ports, reservation, group)
        : isGoing((await stores.runs.get(group, run))?.value);
    if (going) continue;
    const pool = PoolName.parse(partition);
    findings.push({ finding: 'release', pool, reservation, reason: 'what it was for is over' });
  }
  return [...findings, ...unreserved(replicas, reserved, swept)];
}

/** Replicas that run on room that nothing says is taken: others would be placed there too. */
function unreserved(
  replicas: readonly Replica[],
  reserved: ReadonlySet<string>,
  swept: ReadonlyMap<string, SweptService>,
): Finding[] {
  return replicas.flatMap((replica): Finding[] => {
    const service = swept.get(serviceId(replica.key));
    const revision = service?.revision;
    if (service?.owned !== false || revision === undefined || reserved.has(containerName(replica))) return [];
    const runs = ['running', 'healthy', 'standby'].includes(replica.status.state);
    if (!runs || templateOf(revision) !== replica.revision) return [];
    return [{ finding: 'reserve', replica, revision, reason: 'its room is not reserved' }];
  });
}

/** An orchestration that began after the first look reserves before it writes rows. */
async function isOwnedNow({ stores }: WorkloadPorts, service: Service | undefined): Promise<boolean> {
  if (service === undefined) return false;
  return (await stores.services.get(...placeOf.service(service.key)))?.value.owner !== undefined;
}

const isGoing = (run: Run | undefined): boolean =>
  run !== undefined && run.status.state !== 'succeeded' && run.status.state !== 'failed';

/** Mends a finding; a `repair` is an event of its own, which the caller makes. */
export async function mend(
  ports: WorkloadPorts,
  finding: Exclude<Finding, { finding: 'repair' }>,
): Promise<void> {
  switch (finding.finding) {
    case 'release':
      return await ports.capacity.release(finding.pool, finding.reservation);
    case 'remove':
      return await removeStray(ports, finding.machine, finding.container);
    case 'reserve':
    case 'adopt': {
      const { replica, revision } = finding;
      await ports.capacity.reserve(revision.spec.pool, {
        reservation: containerName(replica),
        group: serviceId(replica.key),
        demand: {
          ...replicaDemand(replica.key, revision.spec, replica.revision),
          port: replica.port !== undefined,
        },
        avoid: [],
        owner: 'sweep',
        found: { machine: replica.machine, port: replica.port, gpus: replica.gpus },
      });
      if (finding.finding === 'adopt')
        await ports.stores.replicas.upsert(...placeOf.replica(replica), replica);
    }
  }
}

/** Seconds between SIGTERM and SIGKILL. */
const GRACE = 10;

async function removeStray(
  ports: WorkloadPorts,
  name: MachineName,
  container: Extract<Finding, { finding: 'remove' }>['container'],
): Promise<void> {
  const machine = (await all(ports.stores.machines.list({}))).find((one) => one.name === name);
  if (machine?.address === undefined) return;
  const engine = await ports.engineOf({ name, address: machine.address });
  if (container.state.state === 'running') await engine.stop(container.id, GRACE);
  await removeContainer(ports, engine, container, name);
}
