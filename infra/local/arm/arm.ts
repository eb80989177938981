import type { ScheduledEvents } from '../identity/scheduled-events.ts';
import type { MachineRuntime } from '../machine-runtime/machine-runtime.ts';
import type { Forwarder } from './balancing/forwarder.ts';
import type { Operations } from './operations/operations.ts';
import type { Database } from './resources/database.ts';
import type { Resources } from './resources/resources.ts';

/** What the handlers of one endpoint share. */
export interface Arm {
  readonly subscription: string;
  readonly tenant: string;
  readonly location: string;
  /** CIDR of the machines' network: a VM's address must lie in it. */
  readonly machineSubnet: string;
  /** Address in it that is taken: the gateway. */
  readonly gateway: string;
  readonly quota: Quota;
  /** How long a NIC stays with the VM whose creation was refused for want of capacity. */
  readonly nicReservationMs: number;
  readonly database: Database;
  readonly resources: Resources;
  readonly operations: Operations;
  readonly runtime: MachineRuntime;
  /** What load balancers lead through. */
  readonly forwarder: Forwarder;
  readonly now: () => Date;
  /** What is announced to machines by their metadata service. */
  readonly events: ScheduledEvents;
  /** Whether the endpoint has ended: nothing more is begun. */
  readonly closed: () => boolean;
}

/** Cores that may be in use in the subscription's region. */
export interface Quota {
  readonly regionalCores: number;
  readonly familyCores: number;
  /** Of single families, by their names: others than `familyCores`. */
  readonly families?: Readonly<Record<string, number>>;
  /** Of all spot VMs together, which count against no other quota. Absent: as many as the region has. */
  readonly spotCores?: number;
}
