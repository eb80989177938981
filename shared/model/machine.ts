import { z } from 'zod';
import { MachineName, PoolName } from './names.ts';

export const MachineStatus = z.discriminatedUnion('state', [
  /** Names are recorded, ARM is being asked. */
  z.object({ state: z.literal('provisioning'), since: z.iso.datetime() }),
  /** The VM exists; waiting for its registration and its engine. */
  z.object({ state: z.literal('booting'), since: z.iso.datetime() }),
  z.object({ state: z.literal('ready'), since: z.iso.datetime() }),
  /** Nothing was heard of it for the time that its pool allows. */
  z.object({ state: z.literal('silent'), since: z.iso.datetime() }),
  z.object({ state: z.literal('retiring'), since: z.iso.datetime(), reason: z.string() }),
  z.object({ state: z.literal('failed'), at: z.iso.datetime(), code: z.string(), reason: z.string() }),
]);
export type MachineStatus = z.infer<typeof MachineStatus>;

/** A VM with a Docker engine. Every ARM name is recorded before the first PUT, so that nothing is left unnamed. */
export const Machine = z.object({
  name: MachineName,
  pool: PoolName,
  size: z.string(),
  image: z.string(),
  resources: z.object({ vm: z.string(), nic: z.string(), disk: z.string() }),
  /** ARM id of the VM, as its identity token will say it. */
  vmId: z.string(),
  /** Private address; absent until the NIC exists. */
  address: z.string().optional(),
  /** What containers may use: cores, and MiB of memory. */
  cpu: z.number().positive(),
  memory: z.number().positive(),
  status: MachineStatus,
  /** Instance id of the orchestration that provisions or retires it. */
  owner: z.string(),
  /** When its agent was last heard. */
  heardAt: z.iso.datetime().optional(),
  /** Since when the sweep finds nothing reserved there. */
  idleSince: z.iso.datetime().optional(),
  /** Engine certificate that it was given. */
  certificate: z.object({ serial: z.string(), notAfter: z.iso.datetime() }).optional(),
});
export type Machine = z.infer<typeof Machine>;
