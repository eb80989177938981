import { type MemoryAccess, memoryAccess } from '../../shared/docker/access.memory.ts';
import { type MemoryEngine, memoryEngine } from '../../shared/docker/engine.memory.ts';
import { Digest, RepositoryName, Tag } from '../../shared/model/image.ts';
import { type JobKey, type Run, RunStatus } from '../../shared/model/job.ts';
import { Machine } from '../../shared/model/machine.ts';
import { containerName, Replica, type Service, type ServiceKey } from '../../shared/model/service.ts';
import {
  beginPush,
  partitionOf,
  REGISTRY,
  TagEntry,
  tagRow,
  valuesOf,
} from '../../shared/registry/repository.ts';
import { placeOf, stores } from '../../shared/workloads/stores.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

/** An API server, and by hand what the rest of Berth does: push, run, roll out. */
export interface ApiWorld {
  readonly server: ApiServer;
  readonly engine: MemoryEngine;
  readonly access: MemoryAccess;
  push(image: string, letter?: string): Promise<void>;
  /** Makes a replica of the service's newest revision with a running container. @returns the container's id */
  replica(key: ServiceKey, slot: number, generation?: number): Promise<string>;
  changeService(key: ServiceKey, change: Partial<Service>): Promise<void>;
  /** Gives a run a container, once the run is there. @returns the container's id */
  runContainer(key: JobKey, run: string): Promise<string>;
  changeRun(key: JobKey, run: string, status: unknown): Promise<void>;
}

const machine = Machine.parse({
  name: 'm1',
  pool: 'default',
  size: 'Standard_B2s',
  image: 'Debian:debian-13:13-gen2:latest',
  resources: { vm: 'm1', nic: 'm1', disk: 'm1' },
  vmId: '/subscriptions/x/virtualMachines/m1',
  address: '10.20.0.4',
  cpu: 2,
  memory: 4096,
  status: { state: 'ready', since: '2026-01-01T00:00:00.000Z' },
  owner: 'ev-1',
});

export async function startApiWorld(): Promise<ApiWorld> {
  const engine = memoryEngine();
  const access = memoryAccess(engine);
  const server = await startApiServer({ engineOf: async () => engine, accessOf: async () => access });
  const rows = stores(server.tables);
  await rows.machines.insert(...placeOf.machine('default', 'm1'), machine);

  const container = async (name: string, labels: Record<string, string>): Promise<string> => {
    await engine.pull('registry/x', '');
    const { id } = await engine.create({
      name,
      image: 'registry/x',
      command: undefined,
      environment: {},
      labels,
      cpu: 1,
      memory: 64,
      publish: undefined,
      stopGrace: 1,
    });
    await engine.start(id);
    return id;
  };
  const changeRun = async (key: JobKey, id: string, change: (run: Run) => Run) => {
    await rows.runs.update(...placeOf.run(key, id), (run) => run && change(run));
  };

  return {
    server,
    engine,
    access,
    async push(image, letter = 'a') {
      const [name = '', tag = ''] = image.split(':');
      const repository = RepositoryName.parse(name);
      const entry = TagEntry.parse({
        tag: Tag.parse(tag),
        digest: Digest.parse(`sha256:${letter.repeat(64)}`),
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        size: 500,
        imageSize: 2_500_000,
        counter: 1,
        pushedAt: new Date().toISOString(),
      });
      await beginPush(server.tables, repository, new Date());
      await server.tables.commit(REGISTRY, partitionOf(repository), [
        { kind: 'upsert', row: tagRow(entry.tag), values: valuesOf(entry) },
      ]);
    },
    async replica(key, slot, generation = 1) {
      const revision = (await rows.services.get(...placeOf.service(key)))?.value.revision;
      const replica = Replica.parse({
        key,
        revision,
        slot,
        generation,
        machine: 'm1',
        address: '10.20.0.4',
        port: 30_000 + slot,
        status: { state: 'healthy', since: new Date().toISOString() },
      });
      const containerId = await container(containerName(replica), {});
      await rows.replicas.insert(...placeOf.replica(replica), { ...replica, containerId });
      return containerId;
    },
    async changeService(key, change) {
      await rows.services.update(...placeOf.service(key), (service) => service && { ...service, ...change });
    },
    async runContainer(key, id) {
      const made = await container(`run-${id}`, { 'berth.run': id });
      await changeRun(key, id, (run) => ({
        ...run,
        machine: machine.name,
        status: { state: 'running', since: new Date().toISOString() },
      }));
      return made;
    },
    changeRun: (key, id, status) =>
      changeRun(key, id, (run) => ({ ...run, status: RunStatus.parse(status) })),
  };
}
