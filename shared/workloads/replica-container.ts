import type { Container, ContainerRequest } from '../docker/engine.ts';
import type { ContainerNetwork } from '../docker/network.ts';
import { optionsOf } from '../model/container-options.ts';
import { parseImageReference } from '../model/image.ts';
import { containerName, type Replica, type Revision, type ServiceKey, serviceId } from '../model/service.ts';
import { healthcheckOf, watchedOf } from './watched.ts';

/** Labels of containers: what tells whose they are when every record is lost. */
export const labels = {
  environment: 'berth.environment',
  service: 'berth.service',
  revision: 'berth.revision',
  slot: 'berth.slot',
  generation: 'berth.generation',
  /** The machine's port that leads to it. */
  port: 'berth.port',
  /** Numbers of the machine's GPUs that are its own: `0,1`. */
  gpus: 'berth.gpus',
  run: 'berth.run',
  /** What the machine's agent asks it once it runs. */
  watch: 'berth.watch',
  /** Of a volume: its own name. */
  volume: 'berth.volume',
  /** Of a sidecar: its name, and that of the container that it stands beside. */
  sidecar: 'berth.sidecar',
  sidecarOf: 'berth.sidecar-of',
  networkOf: 'berth.network-of',
  /** Of a container with sidecars: their names. */
  sidecars: 'berth.sidecars',
  /** Versions of the secrets that it was given. */
  secrets: 'berth.secrets',
  /** Of a container that only carries files: whose they are. */
  filesOf: 'berth.files-of',
  job: 'berth.job',
} as const;

export const serviceLabel = (key: ServiceKey): string => `${labels.service}=${serviceId(key)}`;

/** `host/repository@digest`: what the engine pulls. */
export const pulledImage = (registry: string, image: string, digest: string): string =>
  `${registry}/${parseImageReference(image).repository}@${digest}`;

/** The container of a replica, as the engine is asked for it. */
export function replicaContainer(
  replica: Pick<Replica, 'key' | 'revision' | 'slot' | 'generation' | 'address' | 'port' | 'gpus'>,
  { spec, digest }: Revision,
  registry: string,
  network?: ContainerNetwork,
): ContainerRequest {
  const { key, revision, slot, generation, address, port, gpus = [] } = replica;
  const watched = watchedOf(spec, port !== undefined);
  return {
    name: containerName(replica),
    image: pulledImage(registry, spec.image, digest),
    command: spec.command,
    environment: spec.environment,
    labels: {
      [labels.environment]: key.environment,
      [labels.service]: serviceId(key),
      [labels.revision]: String(revision),
      [labels.slot]: String(slot),
      [labels.generation]: String(generation),
      ...(port !== undefined && { [labels.port]: String(port) }),
      ...(gpus.length > 0 && { [labels.gpus]: gpus.join() }),
      ...(watched.length > 0 && { [labels.watch]: JSON.stringify(watched) }),
    },
    cpu: spec.resources.cpu,
    memory: spec.resources.memory,
    publish:
      spec.port === undefined || port === undefined
        ? undefined
        : { container: spec.port, machine: port, address },
    fixedPorts: spec.ports?.map(({ machine, container = machine, protocol }) => ({
      machine,
      container,
      protocol,
      address,
    })),
    ...(gpus.length > 0 && { gpus }),
    stopGrace: spec.stopGrace,
    health: healthcheckOf(spec),
    network,
    options: optionsOf(spec),
  };
}

/** What a container's labels say of the replica that it is; undefined if they are not those of a replica. */
export function replicaOf(container: Container):
  | {
      readonly service: string;
      readonly revision: number;
      readonly slot: number;
      readonly generation: number;
      readonly port: number | undefined;
      readonly gpus: readonly number[];
    }
  | undefined {
  const number = (label: string) => Number(container.labels[label] ?? Number.NaN);
  const service = container.labels[labels.service];
  const [revision, slot, generation] = [
    number(labels.revision),
    number(labels.slot),
    number(labels.generation),
  ];
  if (service === undefined || ![revision, slot, generation].every(Number.isInteger)) return undefined;
  const port = container.labels[labels.port];
  const gpus = container.labels[labels.gpus]?.split(',').map(Number) ?? [];
  return {
    service,
    revision,
    slot,
    generation,
    port: port === undefined ? undefined : Number(port),
    gpus,
  };
}
