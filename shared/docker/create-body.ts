import type { ContainerOptions } from '../model/container-options.ts';
import type { ContainerHealth, ContainerRequest, Mount } from './engine.ts';
import { networkConfig } from './network.ts';

const MIB = 1024 * 1024;

/**
 * Body of POST /containers/create, API 1.41 and later. cpu is a share, not a quota: a container may use what others
 * leave, and a small quota would also throttle the runtime while it starts the container.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerCreate
 */
export function createBody(request: ContainerRequest): Record<string, unknown> {
  const { options = {} } = request;
  const bindings = portBindings(request);
  return defined({
    Image: request.image,
    Cmd: request.command,
    Entrypoint: options.entrypoint,
    Env: Object.entries(request.environment).map(([name, value]) => `${name}=${value}`),
    // What Berth knows its containers by comes last: nothing takes its place.
    Labels: { ...options.labels, ...request.labels },
    User: options.user,
    WorkingDir: options.workingDirectory,
    // A container in another's network has that one's name.
    Hostname: request.sharesNetworkOf === undefined ? options.hostname : undefined,
    Tty: options.tty,
    StopSignal: options.stopSignal,
    StopTimeout: Math.ceil(request.stopGrace),
    ExposedPorts: bindings && Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
    Healthcheck: request.health && healthcheck(request.health),
    HostConfig: hostConfig(request, options),
  });
}

/** Nanoseconds. Engines before 25.0 pass StartInterval over. */
function healthcheck(health: ContainerHealth): Record<string, unknown> {
  const nanoseconds = (seconds: number) => Math.round(seconds * 1e9);
  return {
    Test: ['CMD', ...health.command],
    Interval: nanoseconds(health.interval),
    Timeout: nanoseconds(health.timeout),
    Retries: health.failures,
    StartPeriod: nanoseconds(health.startPeriod),
    StartInterval: nanoseconds(health.startInterval),
  };
}

interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** By the container's port: one of them may have several of the machine. */
function portBindings({ publish, fixedPorts = [] }: ContainerRequest): Record<string, Binding[]> | undefined {
  const ports = [...(publish ? [{ ...publish, protocol: 'tcp' }] : []), ...fixedPorts];
  const bindings: Record<string, Binding[]> = {};
  for (const { container, machine, protocol, address } of ports) {
    const port = `${container}/${protocol}`;
    bindings[port] = [...(bindings[port] ?? []), { HostIp: address, HostPort: String(machine) }];
  }
  return ports.length > 0 ? bindings : undefined;
}

function hostConfig(request: ContainerRequest, options: ContainerOptions): Record<string, unknown> {
  const { gpus = [], mounts = [], sharesNetworkOf } = request;
  const { logging } = options;
  const all: readonly Mount[] = [
    ...mounts,
    ...(options.tmpfs ?? []).map((tmpfs) => ({ type: 'tmpfs', ...tmpfs }) as const),
  ];
  return defined({
    CpuShares: Math.min(262_144, Math.max(2, Math.round(request.cpu * 1024))),
    Memory: Math.round(request.memory * MIB),
    DeviceRequests:
      gpus.length > 0 ? [{ Driver: '', DeviceIDs: gpus.map(String), Capabilities: [['gpu']] }] : undefined,
    // Berth restarts what ends, and may do so elsewhere; a sidecar stays beside its container.
    RestartPolicy: { Name: sharesNetworkOf === undefined ? 'no' : 'unless-stopped' },
    // Bounded, so that a talkative container does not fill the machine's disk.
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-size': `${logging?.maxSize ?? 10}m`, 'max-file': String(logging?.maxFiles ?? 3) },
    },
    PortBindings: portBindings(request),
    ...(request.network && sharesNetworkOf === undefined && networkConfig(request.network)),
    ...(sharesNetworkOf && { NetworkMode: `container:${sharesNetworkOf}` }),
    ExtraHosts:
      sharesNetworkOf === undefined && options.extraHosts
        ? Object.entries(options.extraHosts).map(([name, address]) => `${name}:${address}`)
        : undefined,
    Init: options.init,
    ReadonlyRootfs: options.readOnly,
    Privileged: options.privileged,
    CapAdd: options.capAdd,
    CapDrop: options.capDrop,
    GroupAdd: options.groupAdd,
    SecurityOpt: options.noNewPrivileges === true ? ['no-new-privileges'] : undefined,
    Ulimits:
      options.ulimits &&
      Object.entries(options.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
    Sysctls: options.sysctls,
    ShmSize: options.shmSize && options.shmSize * MIB,
    PidsLimit: options.pidsLimit,
    Binds: listed(all, (mount) =>
      mount.type === 'folder' ? `${mount.source}:${mount.target}:${mount.readOnly ? 'ro' : 'rw'}` : undefined,
    ),
    Mounts: listed(all, mountBody),
  });
}

function mountBody(mount: Mount): Record<string, unknown> | undefined {
  switch (mount.type) {
    // As `Binds`, since the engine makes the folder for those alone.
    case 'folder':
      return undefined;
    case 'bind':
      return { Type: 'bind', Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly };
    case 'volume':
      return {
        Type: 'volume',
        Source: mount.name,
        Target: mount.target,
        ReadOnly: mount.readOnly,
      };
    case 'tmpfs':
      return {
        Type: 'tmpfs',
        Target: mount.target,
        TmpfsOptions: defined({
          SizeBytes: mount.size && mount.size * MIB,
          Mode: mount.mode === undefined ? undefined : Number.parseInt(mount.mode, 8),
        }),
      };
  }
}

function listed<T>(mounts: readonly Mount[], of: (mount: Mount) => T | undefined): T[] | undefined {
  const found = mounts.flatMap((mount) => of(mount) ?? []) as T[];
  return found.length === 0 ? undefined : found;
}

/** Without what is undefined: the engine then does as it always does. */
const defined = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
