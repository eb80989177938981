import type { NewMachine } from '../../model/new-machine.ts';
import type { KnownSku } from '../offerings/offering.ts';
import { usable } from '../usable.ts';
import { type Cost, hourlyCost } from './cost.ts';

/** What a request comes to, before anything is made. */
export interface Plan {
  readonly name: string;
  readonly size: string;
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  readonly image: string;
  readonly location: string;
  readonly zone?: string;
  readonly priority: NewMachine['priority'];
  readonly publicAddress: boolean;
  readonly hostname?: string;
  readonly network: string;
  readonly subnet: string;
  readonly allowFrom: string[];
  readonly openPorts: string[];
  readonly adminUser: string;
  /** How many. */
  readonly sshKeys: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly customData: number;
  readonly cost: Cost;
  readonly makes: string[];
}

export interface Decided {
  readonly request: NewMachine;
  readonly size: KnownSku;
  readonly location: string;
  readonly network: string;
  readonly subnet: string;
  readonly allowFrom: readonly string[];
  readonly hourly: number | undefined;
  /** Bytes of cloud-init data in all. */
  readonly customData: number;
}

/** Pure. */
export function planOf({ request, size, location, ...rest }: Decided): Plan {
  const { name, image, zone, priority, publicAddress, dnsLabel } = request;
  return {
    name,
    size: size.name,
    ...usable(size),
    image,
    location,
    ...(zone !== undefined && { zone }),
    priority,
    publicAddress,
    ...(dnsLabel !== undefined && { hostname: `${dnsLabel}.${location}.cloudapp.azure.com` }),
    network: rest.network,
    subnet: rest.subnet,
    allowFrom: [...rest.allowFrom],
    openPorts: request.openPorts,
    adminUser: request.adminUser,
    sshKeys: request.sshKeys.length,
    tags: request.tags,
    customData: rest.customData,
    cost: hourlyCost({ hourly: rest.hourly, publicAddress }),
    makes: [
      'security group',
      ...(publicAddress ? ['public address'] : []),
      'network interface',
      'virtual machine',
      'disk',
    ],
  };
}
