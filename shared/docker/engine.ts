import type { ContainerOptions } from '../model/container-options.ts';
import type { BridgeNetwork, ContainerNetwork } from './network.ts';
import type { Volumes } from './volumes.ts';

/** Something that a container sees at a path of its own. */
export type Mount =
  /** A volume of the engine; made with the container if there is none. */
  | { readonly type: 'volume'; readonly name: string; readonly target: string; readonly readOnly: boolean }
  /** A file or folder of the machine, which must be there. */
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** A folder of the machine, which is made if it is not there. */
  | { readonly type: 'folder'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** Memory; MiB, octal digits. */
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      readonly size?: number | undefined;
      readonly mode?: string | undefined;
    };

export interface FixedPublish {
  readonly container: number;
  readonly machine: number;
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
}

/** What Berth asks of one Docker engine; names are those of the Engine API: https://docs.docker.com/reference/api/engine/ */
export interface ContainerRequest {
  /** Unique on the engine: creating it again finds the first. */
  readonly name: string;
  /** repository@digest as the engine pulled it, registry host included. */
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Cores, fractions allowed. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  /** Container port, and the machine's port and address that lead to it. */
  readonly publish:
    | { readonly container: number; readonly machine: number; readonly address: string }
    | undefined;
  /** Ports of the machine that are its own. */
  readonly fixedPorts?: readonly FixedPublish[] | undefined;
  readonly stopGrace: number;
  readonly options?: ContainerOptions;
  readonly mounts?: readonly Mount[];
  /** Numbers of the machine's GPUs that it gets. */
  readonly gpus?: readonly number[] | undefined;
  /** Id of the container whose network this one is in: a sidecar, which the engine starts again when it ends. */
  readonly sharesNetworkOf?: string | undefined;
  /** Absent: the engine's default bridge. */
  readonly network?: ContainerNetwork | undefined;
  /** Absent: the image's own, if it has one. */
  readonly health?: ContainerHealth | undefined;
}

export type ContainerState =
  | { readonly state: 'created' }
  | { readonly state: 'running'; readonly startedAt: string }
  | {
      readonly state: 'exited';
      readonly exitCode: number;
      readonly finishedAt: string;
      readonly outOfMemory: boolean;
    };

/** Asked by the engine, in the container. Durations are seconds. */
export interface ContainerHealth {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** In a row. */
  readonly failures: number;
  /** Failures of a start do not count for so long; it is asked every `startInterval`, by engines from 25.0 on. */
  readonly startPeriod: number;
  readonly startInterval: number;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  /** By its own health check, if it has one; what that said last. */
  readonly health?: { readonly status: 'starting' | 'healthy' | 'unhealthy'; readonly said: string };
  /** Its address in each of its networks, by the network's name. */
  readonly addresses?: Readonly<Record<string, string>>;
}

/**
 * Whether a container of the same name is the one that is asked for: its image and labels tell. Labels name the machine's
 * port, which a container that was left from before lost records may have otherwise.
 */
export const isMadeFrom = (
  container: Pick<Container, 'image' | 'labels'>,
  request: Pick<ContainerRequest, 'image' | 'labels'>,
): boolean =>
  container.image === request.image &&
  Object.entries(request.labels).every(([label, value]) => container.labels[label] === value);

export interface LogRequest {
  /** Last lines to begin with; all if absent. */
  readonly tail?: number;
  /** RFC 3339 with nanoseconds, or seconds since 1970: only lines after it. */
  readonly since?: string;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds: the cursor that `since` resumes from. */
  readonly time: string;
  readonly text: string;
}

/** Failures are `Terminal` (image-not-found, port-taken, …) or `Retryable` (engine-unreachable, …). */
export interface Engine {
  /** API version agreed with the engine, and its own version. */
  version(): Promise<{ readonly api: string; readonly engine: string }>;
  /** Pulls repository@digest unless it is there. `token` is a registry bearer token, used for this pull and not kept. */
  pull(image: string, token: string): Promise<void>;
  /** Creates, or finds by name what was made from the same image with the same labels; another one is `name-conflict`. */
  create(request: ContainerRequest): Promise<{ readonly id: string }>;
  /** Unpacks a tar archive into a folder of a container, whether it runs or not; the archive's owners and modes count. */
  putArchive(id: string, folder: string, archive: Uint8Array): Promise<void>;
  /** Starting what runs is no error; `network-not-found` if its network is to be made first. */
  start(id: string): Promise<void>;
  /** SIGTERM, and SIGKILL after `graceSeconds`. Stopping what is not there is no error. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Removes with force; removing what is not there is no error. */
  remove(id: string): Promise<void>;
  /** Makes a network, or finds it by its name; one with another subnet is replaced if nothing is in it. */
  ensureNetwork(network: BridgeNetwork): Promise<void>;
  /** False if a container is in it, which keeps it; true if there is none such. */
  removeNetwork(name: string): Promise<boolean>;
  readonly volumes: Volumes;
  inspect(idOrName: string): Promise<Container | undefined>;
  /** Also those that ended; every given label must match (`key` or `key=value`). */
  list(labels: readonly string[]): Promise<readonly Container[]>;
  logs(id: string, request: LogRequest): AsyncIterable<LogLine>;
  /** Waits until the container has ended. */
  wait(id: string, signal?: AbortSignal): Promise<{ readonly exitCode: number }>;
}

/** Makes the engine client of a machine: https on 2376 with a client certificate of the engine CA. */
export type EngineOf = (machine: { readonly name: string; readonly address: string }) => Promise<Engine>;
