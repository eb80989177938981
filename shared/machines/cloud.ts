import type { Priority } from '../model/pool.ts';

/** What Berth asks of Azure Resource Manager for machines. Long-running calls are started and polled, never waited for. */
export interface Cloud {
  /** Starts making, or finds, the network that machines share. */
  ensureNetwork(): Promise<Progress>;
  /** NIC of a machine; `publicAddress` false with us: machines of pools are private. Done: its private address. */
  createNic(request: NicRequest): Promise<Progress<{ readonly address: string }>>;
  createVirtualMachine(request: VirtualMachineRequest): Promise<Progress>;
  /** Polls what a call started. */
  poll(operation: Operation): Promise<Progress>;
  /** The private address of a NIC that exists. */
  nicAddress(name: string): Promise<string | undefined>;
  /** Deleting what is not there is done at once. Order: VM, NIC, disk, public IP, security group. */
  deleteResource(kind: ResourceKind, name: string): Promise<Progress>;
  virtualMachine(name: string): Promise<VirtualMachineView | undefined>;
  /** Everything of ours that carries the tag `berth-machine`: what the orphan sweep compares with the records. */
  tagged(): Promise<readonly TaggedResource[]>;
  /** Cores and MiB of a size, from Microsoft.Compute/skus. */
  size(name: string): Promise<{ readonly cores: number; readonly memory: number } | undefined>;
  /** Serial console log, for a machine that never registered. */
  consoleLog(name: string): Promise<string | undefined>;
}

/**
 * A serialised poller (`restorePoller`), about 1 KB: travels through orchestration history. `state` is empty where the
 * operation was begun by a call whose answer was lost: then the resource itself is looked at.
 */
export type Operation = {
  readonly kind: OperationKind;
  readonly name: string;
  readonly state: string;
};

/** Those that begin with `delete-` are done where the resource is absent. */
export type OperationKind =
  | 'network'
  | 'nic'
  | 'public-ip'
  | 'security-group'
  | 'vm'
  | 'power'
  | 'run-command'
  | 'image'
  | 'delete-vm'
  | 'delete-nic'
  | 'delete-disk'
  | 'delete-public-ip'
  | 'delete-security-group'
  | 'delete-image';

export type Progress<T = unknown> =
  | { readonly status: 'done'; readonly result?: T }
  | { readonly status: 'going'; readonly operation: Operation; readonly afterMs: number }
  /** ARM refused, at once or inside a poll: its code and words. */
  | {
      readonly status: 'refused';
      readonly code: string;
      readonly message: string;
      /** An earlier call for the same may not have been answered: ARM may yet do it. */
      readonly uncertain?: boolean;
    };

export interface NicRequest {
  readonly name: string;
  readonly machine: string;
  /** Names of what a machine made by hand has besides: made before the NIC. */
  readonly publicIp?: string;
  readonly securityGroup?: string;
  /** Resource id of a subnet of the user's own; absent: that of Berth's machines. */
  readonly subnet?: string;
  /** A fixed private address of the subnet; absent: the next that is free. */
  readonly address?: string;
}

export interface VirtualMachineRequest {
  readonly name: string;
  readonly nic: string;
  readonly disk: string;
  readonly size: string;
  /** publisher:offer:sku:version, or the resource id of an image. */
  readonly image: string;
  /** cloud-init user data, plain text; at most 65,535 bytes, no secrets. */
  readonly customData: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly zone?: string;
  /** Spot: deleted when Azure takes it back; never dearer than the regular price. */
  readonly priority?: Priority;
  /** Absent: `berth` with a key that nobody has. */
  readonly admin?: { readonly user: string; readonly sshKeys: readonly string[] };
}

export interface VirtualMachineView {
  readonly name: string;
  readonly provisioningState: string;
  /** running, deallocated, …; absent while unknown. */
  readonly power: string | undefined;
}

/** What a machine consists of in ARM, in the order of deletion. */
export const RESOURCE_KINDS = ['vm', 'nic', 'disk', 'public-ip', 'security-group'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export interface TaggedResource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly machine: string;
  /** From the tag `berth-created`, RFC 3339. */
  readonly createdAt: string | undefined;
  /** Of VMs, as Azure names it. */
  readonly size?: string;
}
