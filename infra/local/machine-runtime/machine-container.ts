import { machineFolder } from './machine-folder.ts';
import type { MachineRequest } from './machine-runtime.ts';
import { platformFolder } from './platform-settings.ts';

export interface ContainerPlace {
  /** The data centre's id and directory. */
  readonly id: string;
  readonly directory: string;
  /** Name of the machines' Docker network. */
  readonly network: string;
  /** Name of the image that it boots. */
  readonly image: string;
  readonly capabilities: readonly string[];
  /** Cores of this computer: a container cannot be given more. */
  readonly cores: number;
  /** A resolv.conf that is right for machines; without one the engine's resolver serves them, but not their containers. */
  readonly resolvers: string | undefined;
}

export const containerName = (id: string, machine: string): string => `berth-${id}-${machine}`;
export const volumeName = (id: string, machine: string): string => `berth-${id}-${machine}-docker`;
export const machineLabel = 'berth.machine';
export const dataCentreLabel = 'berth.datacentre';

/**
 * Pure: the body of POST /containers/create for a machine: a systemd host with its own address.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerCreate
 */
export function machineContainer(request: MachineRequest, place: ContainerPlace) {
  const folder = machineFolder(place.directory, request.name);
  const mount = (source: string, target: string) => ({
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: true,
  });
  return {
    Image: place.image,
    Hostname: request.name,
    Entrypoint: ['/bin/sh', `${platformFolder}/boot`],
    Cmd: [],
    // systemd asks this what it runs in; cloud-init's generator switches itself off under "docker".
    Env: ['container=lxc'],
    Tty: true,
    // systemd's "shut down": https://www.freedesktop.org/software/systemd/man/latest/systemd.html#Signals
    StopSignal: 'SIGRTMIN+3',
    Labels: { [dataCentreLabel]: place.id, [machineLabel]: request.name },
    HostConfig: {
      NetworkMode: place.network,
      NanoCpus: Math.round(Math.min(request.cores, place.cores) * 1e9),
      Memory: request.memory * 1024 * 1024,
      CapDrop: ['ALL'],
      CapAdd: place.capabilities,
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
      CgroupnsMode: 'private',
      // Character devices may be made (tun, fuse, null); block devices, the computer's disks, may not.
      DeviceCgroupRules: ['c *:* rwm'],
      Tmpfs: { '/run': '', '/run/lock': '', '/tmp': '' },
      Mounts: [
        // overlay2 wants a real file system under it.
        { Type: 'volume', Source: volumeName(place.id, request.name), Target: '/var/lib/docker' },
        mount(folder.seed, '/var/lib/cloud/seed/nocloud'),
        mount(folder.platform, platformFolder),
        ...(place.resolvers === undefined ? [] : [mount(place.resolvers, '/etc/resolv.conf')]),
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '2m', 'max-file': '2' } },
    },
    NetworkingConfig: {
      EndpointsConfig: { [place.network]: { IPAMConfig: { IPv4Address: request.address } } },
    },
  };
}
