import {
  type Container,
  type ContainerRequest,
  type ContainerState,
  type Engine,
  isMadeFrom,
  type LogLine,
  type LogRequest,
} from './engine.ts';
import { faults } from './faults.ts';
import type { BridgeNetwork } from './network.ts';
import type { EngineVolume, Volumes } from './volumes.ts';

/** What containers of an image do once started: write lines, and with `exitCode` end at once. */
export interface Behaviour {
  readonly lines?: readonly string[];
  readonly exitCode?: number;
}

/** What a test does to a simulated engine from outside. Containers go by id or name. */
export interface EngineControl {
  /** Images that begin so behave so; containers of others run until they are stopped. */
  behave(imagePrefix: string, behaviour: Behaviour): void;
  /** Pulls of images that begin so are refused as not found. */
  withhold(imagePrefix: string): void;
  /** The container's process ends, as if it crashed. */
  exit(container: string, exitCode: number, outOfMemory?: boolean): void;
  write(container: string, text: string, stream?: 'stdout' | 'stderr'): void;
  /** What a container's own health check says; `healthy` if it has one and nothing was said. */
  health(container: string, status: 'starting' | 'healthy' | 'unhealthy'): void;
  /** Every call is `engine-unreachable` while false; containers run on. */
  reachable(answers: boolean): void;
  /** The machine restarts: all containers end with 137. */
  restart(): void;
  /** Images pulled so far. */
  readonly pulled: ReadonlySet<string>;
  /** Archives that were unpacked, by the machine's folder or the container's. */
  readonly archives: ReadonlyMap<string, Uint8Array>;
  /** Every successful create, in order. */
  readonly created: readonly ContainerRequest[];
}

export interface MemoryEngine extends Engine {
  readonly control: EngineControl;
}

interface Simulated {
  readonly id: string;
  readonly request: ContainerRequest;
  state: ContainerState;
  health?: 'starting' | 'healthy' | 'unhealthy';
  /** In its network, from its first start. */
  address?: string;
  readonly lines: LogLine[];
  readonly changed: Set<() => void>;
}

/**
 * A Docker engine in this process's memory: for tests, with a real engine's answers to repeated and impossible calls.
 * @param now clock of start and end times
 */
export function memoryEngine(name = 'memory', now: () => Date = () => new Date()): MemoryEngine {
  const containers = new Map<string, Simulated>();
  const pulled = new Set<string>();
  const created: ContainerRequest[] = [];
  const behaviours = new Map<string, Behaviour>();
  const withheld = new Set<string>();
  const archives = new Map<string, Uint8Array>();
  const networks = new Map<string, BridgeNetwork>();
  let answers = true;
  let last = 0;

  const answering = () => {
    if (!answers) throw faults.unreachable(name, new Error('simulated'));
  };
  const find = (idOrName: string): Simulated | undefined =>
    containers.get(idOrName) ?? [...containers.values()].find(({ request }) => request.name === idOrName);
  const get = (idOrName: string): Simulated => {
    const found = find(idOrName);
    if (found === undefined) throw faults.containerNotFound(idOrName);
    return found;
  };
  const announce = (container: Simulated) => {
    for (const listener of [...container.changed]) listener();
  };
  const exit = (container: Simulated, exitCode: number, outOfMemory = false) => {
    container.state = { state: 'exited', exitCode, finishedAt: now().toISOString(), outOfMemory };
    announce(container);
  };
  const write = (container: Simulated, text: string, stream: 'stdout' | 'stderr' = 'stdout') => {
    last += 1;
    const time = now()
      .toISOString()
      .replace('Z', `${String(last).padStart(6, '0').slice(-6)}Z`);
    container.lines.push({ stream, time, text });
    announce(container);
  };
  const change = (container: Simulated, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = () => {
        container.changed.delete(settle);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = () => {
        container.changed.delete(settle);
        reject(signal?.reason);
      };
      container.changed.add(settle);
      signal?.addEventListener('abort', abort);
    });

  return {
    volumes: memoryVolumes(answering, (volume) =>
      [...containers.values()].some(({ request }) =>
        request.mounts?.some((mount) => mount.type === 'volume' && mount.name === volume),
      ),
    ),
    async version() {
      answering();
      return { api: '1.47', engine: 'memory' };
    },
    async pull(image) {
      answering();
      if ([...withheld].some((prefix) => image.startsWith(prefix)))
        throw faults.imageNotFound(image, 'manifest unknown');
      pulled.add(image);
    },
    async create(request) {
      answering();
      const found = find(request.name);
      if (found !== undefined) {
        if (!isMadeFrom(containerOf(found), request)) throw faults.nameConflict(request.name);
        return { id: found.id };
      }
      if (!pulled.has(request.image)) throw faults.imageNotFound(request.image, 'no such image');
      const id = (created.length + 1).toString(16).padStart(12, 'c').padEnd(64, '0');
      containers.set(id, { id, request, state: { state: 'created' }, lines: [], changed: new Set() });
      created.push(request);
      return { id };
    },
    async putArchive(id, folder, archive) {
      answering();
      const { request } = get(id);
      const mount = request.mounts?.find(({ target }) => target === folder);
      archives.set(
        mount !== undefined && 'source' in mount ? mount.source : `${request.name}:${folder}`,
        archive,
      );
    },
    async start(id) {
      answering();
      const container = get(id);
      if (container.state.state === 'running') return;
      const { network } = container.request;
      if (network !== undefined && !networks.has(network.name))
        throw faults.networkNotFound(`network ${network.name} not found`);
      const subnet = networks.get(network?.name ?? '')?.subnet;
      if (subnet !== undefined)
        container.address ??= addressIn(subnet, [...containers.keys()].indexOf(id) + 2);
      const wanted = machinePorts(container.request);
      const other = [...containers.values()].find(
        ({ state, request }) =>
          state.state === 'running' && machinePorts(request).some((port) => wanted.includes(port)),
      );
      if (other !== undefined)
        throw faults.portTaken(`one of ${wanted.join(', ')} is published by ${other.request.name}`);
      container.state = { state: 'running', startedAt: now().toISOString() };
      const behaviour = [...behaviours].findLast(([prefix]) =>
        container.request.image.startsWith(prefix),
      )?.[1];
      for (const line of behaviour?.lines ?? []) write(container, line);
      if (behaviour?.exitCode !== undefined) exit(container, behaviour.exitCode);
    },
    async removeNetwork(network) {
      answering();
      const isUsed = [...containers.values()].some(
        ({ request, state }) => request.network?.name === network && state.state === 'running',
      );
      if (!isUsed) networks.delete(network);
      return !isUsed;
    },
    async ensureNetwork(network) {
      answering();
      networks.set(network.name, network);
    },
    async stop(id) {
      answering();
      const container = find(id);
      if (container?.state.state === 'running') exit(container, 143);
    },
    async remove(id) {
      answering();
      const container = find(id);
      if (container === undefined) return;
      if (container.state.state === 'running') exit(container, 137);
      containers.delete(container.id);
    },
    async inspect(idOrName) {
      answering();
      const found = find(idOrName);
      return found && containerOf(found);
    },
    async list(labels) {
      answering();
      return [...containers.values()]
        .filter(({ request }) => labels.every((label) => matches(request.labels, label)))
        .map(containerOf);
    },
    async *logs(id, { tail, since, follow, signal }: LogRequest) {
      answering();
      const container = get(id);
      let next = tail === undefined ? 0 : Math.max(0, container.lines.length - tail);
      for (;;) {
        for (; next < container.lines.length; next += 1) {
          const line = container.lines[next];
          if (line !== undefined && (since === undefined || line.time > since)) yield line;
        }
        if (follow !== true || container.state.state !== 'running' || signal?.aborted) return;
        await change(container, signal).catch(() => {});
      }
    },
    async wait(id, signal) {
      answering();
      const container = get(id);
      while (container.state.state !== 'exited') {
        signal?.throwIfAborted();
        await change(container, signal);
      }
      return { exitCode: container.state.exitCode };
    },
    control: {
      behave: (prefix, behaviour) => void behaviours.set(prefix, behaviour),
      withhold: (prefix) => void withheld.add(prefix),
      exit: (container, exitCode, outOfMemory) => exit(get(container), exitCode, outOfMemory),
      health(container, status) {
        get(container).health = status;
      },
      write: (container, text, stream) => write(get(container), text, stream),
      reachable(value) {
        answers = value;
      },
      restart() {
        for (const container of containers.values())
          if (container.state.state === 'running') exit(container, 137);
      },
      pulled,
      created,
      archives,
    },
  };
}

const containerOf = ({ id, request, state, address, health = 'healthy' }: Simulated): Container => ({
  id,
  name: request.name,
  image: request.image,
  labels: request.labels,
  state,
  ...(request.health !== undefined && { health: { status: health, said: 'exit code 1: simulated' } }),
  ...(request.network !== undefined &&
    address !== undefined && { addresses: { [request.network.name]: address } }),
});

/** The address so many places after the first of a network. */
function addressIn(subnet: string, offset: number): string {
  const bytes = (subnet.split('/')[0] ?? '').split('.').map(Number);
  return [...bytes.slice(0, 3), (bytes[3] ?? 0) + offset].join('.');
}

function matches(labels: Readonly<Record<string, string>>, label: string): boolean {
  const [key = '', ...value] = label.split('=');
  return value.length === 0 ? key in labels : labels[key] === value.join('=');
}

/** `8080/tcp` */
const machinePorts = ({ publish, fixedPorts = [] }: ContainerRequest): string[] => [
  ...(publish ? [`${publish.machine}/tcp`] : []),
  ...fixedPorts.map(({ machine, protocol }) => `${machine}/${protocol}`),
];

/** @param isUsed whether a container has it */
function memoryVolumes(answering: () => void, isUsed: (name: string) => boolean): Volumes {
  const volumes = new Map<string, EngineVolume>();
  return {
    async inspect(name) {
      answering();
      return volumes.get(name);
    },
    async create(volume) {
      answering();
      if (!volumes.has(volume.name)) volumes.set(volume.name, volume);
    },
    async remove(name) {
      answering();
      if (isUsed(name)) throw faults.volumeInUse(name, 'simulated');
      volumes.delete(name);
    },
  };
}
