import { createHash, randomBytes } from 'node:crypto';
import type { Activity } from '../../functions/activities/activity.ts';
import { awaitDependenciesActivity } from '../../functions/activities/await-dependencies.ts';
import { awaitMachineActivity } from '../../functions/activities/await-machine.ts';
import { checkReplicaActivity } from '../../functions/activities/check-replica.ts';
import { endRunActivity } from '../../functions/activities/end-run.ts';
import { noteProgressActivity } from '../../functions/activities/note-progress.ts';
import { observeServiceActivity } from '../../functions/activities/observe-service.ts';
import { recordRolloutActivity } from '../../functions/activities/record-rollout.ts';
import { startReplicaActivity } from '../../functions/activities/start-replica.ts';
import { startRunActivity } from '../../functions/activities/start-run.ts';
import { stopReplicaActivity } from '../../functions/activities/stop-replica.ts';
import { switchReplicasActivity } from '../../functions/activities/switch-replicas.ts';
import { waitForRunActivity } from '../../functions/activities/wait-for-run.ts';
import { rollOutService } from '../../functions/orchestrators/roll-out.ts';
import { run } from '../../functions/orchestrators/run-job.ts';
import type { Services } from '../../functions/services.ts';
import { type MemoryEngine, memoryEngine } from '../../shared/docker/engine.memory.ts';
import { ProvisionMachine } from '../../shared/machines/provisioning.ts';
import { ApplicationSpec } from '../../shared/model/application.ts';
import { CloudEvent } from '../../shared/model/cloud-event.ts';
import { Digest } from '../../shared/model/image.ts';
import type { Run } from '../../shared/model/job.ts';
import { Machine } from '../../shared/model/machine.ts';
import { ServiceKey, serviceId } from '../../shared/model/service.ts';
import { capacity } from '../../shared/scheduling/capacity.ts';
import { Secret } from '../../shared/secrets/secret.ts';
import { blobSecrets } from '../../shared/secrets/secrets.blobs.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import { type Answering, answer, eventTypes, type Start } from '../../shared/workloads/answer.ts';
import { awaitBefore as awaitBeforeEffect } from '../../shared/workloads/await-before.ts';
import type { WorkloadPorts } from '../../shared/workloads/ports.ts';
import { awaitBefore } from '../../shared/workloads/replica-activities.ts';
import { RollOut } from '../../shared/workloads/roll-out.ts';
import { RunJob } from '../../shared/workloads/run-job.ts';
import { serviceSecrets } from '../../shared/workloads/service-secrets.ts';
import { all, placeOf, stores } from '../../shared/workloads/stores.ts';
import { plainOutlook } from './pools.ts';
import { runOrchestration } from './run-orchestration.ts';
import { trustsAll } from './trusts-all.ts';

export const digestOf = (letter: string): Digest => Digest.parse(`sha256:${letter.repeat(64)}`);
export const web = ServiceKey.parse({ environment: 'dev', application: 'hello', service: 'web' });

const activities = [
  awaitDependenciesActivity,
  awaitMachineActivity,
  checkReplicaActivity,
  endRunActivity,
  noteProgressActivity,
  observeServiceActivity,
  recordRolloutActivity,
  startReplicaActivity,
  startRunActivity,
  stopReplicaActivity,
  switchReplicasActivity,
  waitForRunActivity,
] as unknown as Activity<never, unknown>[];

/** A port whose calls may fail before they did anything, or after they did it. Listings are left alone. */
function faulty<Port extends object>(
  port: Port,
  name: string,
  fault: (where: string) => void | Promise<void>,
): Port {
  return new Proxy(port, {
    get(target, property) {
      const value = Reflect.get(target, property) as unknown;
      if (typeof value !== 'function' || (name === 'table' && property === 'list') || property === 'logs')
        return value;
      return async (...args: unknown[]) => {
        await fault(`before ${name} ${String(property)}`);
        const result = await (value.apply(target, args) as Promise<unknown>);
        await fault(`after ${name} ${String(property)}`);
        return result;
      };
    },
  });
}

/**
 * Everything but Azure: tables, engines and clock in memory, the registry's tags, events answered and run to their end.
 * @param fault is told before and after every call of a table or an engine, and may throw or take its time
 */
export function workloadWorld(fault: (where: string) => void | Promise<void> = () => {}) {
  const clock = { now: new Date('2026-11-25T12:00:00Z') };
  const documents = stores(faulty(memoryTables(), 'table', fault));
  const sealed = blobSecrets(memoryBlobs(), {
    current: new Secret(randomBytes(32).toString('base64')),
    previous: undefined,
  });
  const tags = new Map<string, Digest>();
  const engines = new Map<string, MemoryEngine>();
  const live = new Set<string>();
  /** Images whose replicas never answer. */
  const deaf = new Set<string>();
  const provisioned: string[] = [];
  /** Why ARM refuses machines; made at once if undefined. */
  let noMachines: { code: string; reason: string } | undefined;
  const pass = async (milliseconds: number) => {
    clock.now = new Date(clock.now.getTime() + milliseconds);
  };
  const engineOf = async ({ name }: { name: string }) => {
    const engine = engines.get(name) ?? memoryEngine(name, () => clock.now);
    engines.set(name, engine);
    return faulty(engine, 'engine', fault);
  };
  const ports: WorkloadPorts = {
    stores: documents,
    engineOf,
    registry: 'registry.example:5000',
    secrets: serviceSecrets(documents.tables, sealed, () => clock.now),
    pullToken: async () => 'token',
    now: () => clock.now,
    sleep: pass,
    probe: {
      async ask({ port }) {
        for (const engine of engines.values())
          for (const { id, image, labels, state } of await engine.list(['berth.service']).catch(() => []))
            if (labels['berth.port'] === String(port) && state.state === 'running' && id !== '')
              return deaf.has(image.split('@')[1] ?? '') ? 'GET / answered 503' : undefined;
        return 'refused';
      },
    },
    capacity: capacity({
      tables: documents.tables,
      machines: (pool) => all(documents.machines.list({ partition: pool })),
      outlook: async (pool) => {
        const spec = (await documents.pools.get(...placeOf.pool(pool)))?.value;
        return { ...plainOutlook({ maximum: spec?.maximum ?? 3 }), labels: spec?.labels };
      },
      now: () => clock.now,
      random: Math.random,
      sleep: async () => {},
    }),
  };
  const services = { workloads: ports } as unknown as Services;
  const answering = (): Answering => ({
    stores: documents,
    images: {
      resolve: async ({ repository, tag, digest }) => digest ?? tags.get(`${repository}:${tag}`),
    },
    trust: trustsAll,
    isLive: async (id) => live.has(id),
    now: clock.now,
  });

  let count = 0;
  const event = (type: string, source: string, data: unknown): CloudEvent => {
    count += 1;
    const time = new Date(clock.now.getTime() + count).toISOString();
    return CloudEvent.parse({ specversion: '1.0', id: String(count), source, type, time, data });
  };
  const send = (sent: CloudEvent): Promise<readonly Start[]> => {
    const hash = createHash('sha256').update(`${sent.source}\n${sent.id}`).digest('hex').slice(0, 40);
    return answer(sent, hash, answering());
  };
  const provision = async (request: ProvisionMachine) => {
    provisioned.push(request.machine);
    const machine = Machine.parse({
      name: request.machine,
      pool: request.pool,
      size: 'Standard_B2s',
      image: 'x',
      resources: { vm: 'x', nic: 'x', disk: 'x' },
      vmId: 'x',
      address: `10.20.0.${provisioned.length}`,
      cpu: 2,
      memory: 4096,
      labels: request.spec.labels,
      status: noMachines
        ? { state: 'failed', at: clock.now.toISOString(), ...noMachines }
        : { state: 'ready', since: clock.now.toISOString() },
      owner: `machine-${request.machine}`,
      heardAt: clock.now.toISOString(),
    });
    await documents.machines.upsert(...placeOf.machine(machine.pool, machine.name), machine);
    return noMachines ? { status: 'failed', ...noMachines } : { status: 'ready', machine };
  };
  /** How runs before rollouts end, once they are started. */
  const runsEnd = { exitCode: 0, lines: [] as string[] };
  const endRuns = async () => {
    for (const engine of engines.values())
      for (const { id, labels, state } of await engine.list(['berth.run'])) {
        if (labels['berth.run'] === undefined || state.state !== 'running') continue;
        for (const line of runsEnd.lines) engine.control.write(id, line);
        engine.control.exit(id, runsEnd.exitCode);
      }
  };
  /** As the app's activity, with the run's orchestration carried out at once. */
  const before: Activity<unknown, unknown> = {
    signature: awaitBefore as unknown as Activity<unknown, unknown>['signature'],
    async run(input) {
      const begin = async (begun: Run) => {
        const start = { orchestrator: 'run-job', instanceId: begun.id, input: { run: begun } };
        if (!live.has(begun.id)) await carryOut(start, endRuns);
      };
      const value = await awaitBeforeEffect(
        { ...ports, ...answering(), now: ports.now, begin },
        awaitBefore.input.parse(input),
      );
      return { outcome: 'done', value };
    },
  };
  /** Runs an orchestration to its end. */
  const carryOut = async (start: Start, meanwhile?: () => void | Promise<void>) => {
    live.add(start.instanceId);
    const options = {
      instanceId: start.instanceId,
      activities: [...activities, before as Activity<never, unknown>],
      services,
      clock,
      called: (_name: string, input: unknown) => provision(ProvisionMachine.parse(input)),
      ...(meanwhile && { meanwhile }),
    };
    const made =
      start.orchestrator === 'roll-out'
        ? await runOrchestration(rollOutService, RollOut.parse(start.input), options)
        : await runOrchestration(run, RunJob.parse(start.input), options);
    live.delete(start.instanceId);
    return made;
  };
  const happen = async (sent: CloudEvent) => {
    const starts = await send(sent);
    return await Promise.all(starts.map((start) => carryOut(start)));
  };

  return {
    clock,
    pass,
    stores: documents,
    ports,
    services,
    engines,
    deaf,
    live,
    provisioned,
    runsEnd,
    send,
    carryOut,
    happen,
    event,
    refuseMachines(refusal: { code: string; reason: string } | undefined) {
      noMachines = refusal;
    },
    command: (data: Record<string, unknown>) =>
      event(eventTypes.command, 'api', { environment: 'dev', ...data }),
    deploy: (application: unknown) =>
      event(eventTypes.command, 'api', {
        environment: 'dev',
        type: 'deploy',
        application: ApplicationSpec.parse(application),
      }),
    push(repository: string, tag: string, digest: Digest) {
      tags.set(`${repository}:${tag}`, digest);
      return event(eventTypes.push, `registry/${repository}`, { repository, tag, digest, mediaType: 'x' });
    },
    sweep: () => event(eventTypes.sweep, 'sweep/dev.hello.web', { key: web, reason: 'test' }),
    service: async () => (await documents.services.get(...placeOf.service(web)))?.value,
    replicas: () => all(documents.replicas.list({ partition: serviceId(web) })),
    /** Names of all containers that run, on all machines. */
    async running() {
      const lists = await Promise.all([...engines.values()].map((engine) => engine.list([])));
      return lists
        .flat()
        .filter(({ state }) => state.state === 'running')
        .map(({ name }) => name)
        .sort();
    },
    async reservations() {
      const rows: string[] = [];
      for await (const { row } of documents.tables.list('capacity', { from: 'r!', to: 'r"' })) rows.push(row);
      return rows;
    },
  };
}

export const hello = (spec: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  name: 'hello',
  services: { web: { image: 'hello/web:1', replicas: 2, port: 8080, ...spec } },
  ...more,
});
