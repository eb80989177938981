import { z } from 'zod';
import { MachineNetwork } from './machine-network.ts';
import { MachineName, PoolName } from './names.ts';
import { Priority } from './pool.ts';

export const MachineStatus = z.discriminatedUnion('state', [
  /** Names are recorded, ARM is being asked. */
  z.object({ state: z.literal('provisioning'), since: z.iso.datetime() }),
  /** The VM exists; waiting for its registration and its engine. */
  z.object({ state: z.literal('booting'), since: z.iso.datetime() }),
  z.object({ state: z.literal('ready'), since: z.iso.datetime() }),
  /** Nothing was heard of it for the time that its pool allows. */
  z.object({ state: z.literal('silent'), since: z.iso.datetime() }),
  /** Its power is being taken away by our order. */
  z.object({ state: z.literal('stopping'), since: z.iso.datetime() }),
  /** Deallocated: cores cost nothing, disk and public address do. */
  z.object({ state: z.literal('stopped'), since: z.iso.datetime() }),
  z.object({ state: z.literal('starting'), since: z.iso.datetime() }),
  z.object({ state: z.literal('retiring'), since: z.iso.datetime(), reason: z.string() }),
  z.object({
    state: z.literal('failed'),
    at: z.iso.datetime(),
    code: z.string(),
    /** Which step, ARM's code and words, and the end of the console if there is one. */
    reason: z.string(),
    /** What to do. */
    remedy: z.string().optional(),
    /** Blob of the container `machines` that keeps its console log in full. */
    console: z.string().optional(),
  }),
]);
export type MachineStatus = z.infer<typeof MachineStatus>;

/** Why nothing new is placed on a machine, and what is to come of it. */
export const Cordon = z.object({
  since: z.iso.datetime(),
  /** `user`: until it is taken back; the others end with the machine's replacement or removal. */
  by: z.enum(['user', 'drift', 'expiry', 'eviction', 'maintenance', 'removal']),
  reason: z.string(),
  /** Whether its replicas are to move elsewhere, and until when at the latest. */
  drain: z.boolean(),
  until: z.iso.datetime().optional(),
  /** Services and runs that are still there, at most ten; why they are, where it is not a matter of seconds. */
  left: z.array(z.string()).optional(),
  waits: z.string().optional(),
  /** Since when nothing is there any more. */
  drainedAt: z.iso.datetime().optional(),
});
export type Cordon = z.infer<typeof Cordon>;

/** What a machine has that somebody asked for by hand: reachable from where they are, with their keys. */
export const HandMade = z.object({
  /** CIDRs from which engine (2376), ssh (22) and `openPorts` are reached. */
  allowFrom: z.array(z.string()),
  openPorts: z.array(z.string()),
  publicAddress: z.boolean(),
  adminUser: z.string(),
  sshKeys: z.array(z.string()),
  dnsLabel: z.string().optional(),
  /** Resource id of a subnet of the user's own; absent: that of Berth's machines. */
  subnet: z.string().optional(),
  /** A fixed private address that was asked for. */
  address: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  /** Whether there is cloud-init data of the user: a secret until the VM is asked for, since it may hold some. */
  customData: z.boolean().default(false),
  /** Idempotency-Key of the request that asked for it. */
  request: z.string().optional(),
  /** Who asked: the caller's id. */
  by: z.string(),
});
export type HandMade = z.infer<typeof HandMade>;

/** How a machine's cloud-init ended, as the machine itself says. */
export const BootReport = z.object({
  at: z.iso.datetime(),
  /** Of `cloud-init status`: done, error, degraded, … */
  status: z.string(),
  /** What cloud-init writes to /run/cloud-init/result.json; empty if all went well. */
  errors: z.array(z.string()),
  /** Whether the Docker engine answered on the machine itself. */
  engine: z.boolean(),
});
export type BootReport = z.infer<typeof BootReport>;

/** Names in ARM of what one attempt at a machine consists of. */
export const MachineResources = z.object({
  vm: z.string(),
  nic: z.string(),
  disk: z.string(),
  /** Only of machines made by hand. */
  publicIp: z.string().optional(),
  securityGroup: z.string().optional(),
});
export type MachineResources = z.infer<typeof MachineResources>;

/** A VM with a Docker engine. Every ARM name is recorded before the first PUT, so that nothing is left unnamed. */
export const Machine = z.object({
  name: MachineName,
  pool: PoolName,
  size: z.string(),
  image: z.string(),
  /** Resource id of the golden image that it boots from, made of `image`; absent: it boots from `image` itself. */
  golden: z.string().optional(),
  resources: MachineResources,
  /** Counts from 1: every attempt at ARM has names of its own, since ARM keeps traces of those that failed. */
  attempt: z.number().int().min(1).default(1),
  /** What earlier attempts may have left, and a failed machine: until ARM has said that it is gone. */
  leftovers: z.array(MachineResources).default([]),
  /** ARM id of the VM, as its identity token will say it. */
  vmId: z.string(),
  /** Private address; absent until the NIC exists. */
  address: z.string().optional(),
  publicAddress: z.string().optional(),
  /** DNS name of the public address. */
  hostname: z.string().optional(),
  zone: z.string().optional(),
  priority: Priority.default('regular'),
  /** US dollars per hour, by the table of prices that Berth ships; absent where it does not know. */
  hourly: z.number().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  /** Digest of all that makes the machine what it is (image, customData, pool's wishes): another one is drift. */
  profile: z.string().optional(),
  createdAt: z.iso.datetime().optional(),
  cordon: Cordon.optional(),
  /** Why it is to be replaced, and what it still waits for: drift or age, and the pool's budget or room. */
  due: z
    .object({
      since: z.iso.datetime(),
      by: z.enum(['drift', 'expiry']),
      reason: z.string(),
      waits: z.string(),
    })
    .optional(),
  /** Only of machines of the pool `by-hand`. */
  hand: HandMade.optional(),
  /** What containers may use: cores, and MiB of memory. */
  cpu: z.number().positive(),
  memory: z.number().positive(),
  /** Whole GPUs; absent: none. */
  gpu: z.number().int().positive().optional(),
  status: MachineStatus,
  /** Instance id of the orchestration that provisions or retires it. */
  owner: z.string(),
  /** When its agent was last heard. */
  heardAt: z.iso.datetime().optional(),
  /** Since when the sweep finds nothing reserved there. */
  idleSince: z.iso.datetime().optional(),
  /** What its cloud-init reported when it ended. */
  boot: BootReport.optional(),
  /** Its part in the network of containers; absent: none. */
  network: MachineNetwork.optional(),
  /** Public keys of its sshd, `<type> <base64>`, as it said at its registration: whom ssh is to find there. */
  hostKeys: z.array(z.string()).optional(),
  /** Engine certificate that it was given. */
  certificate: z.object({ serial: z.string(), notAfter: z.iso.datetime() }).optional(),
  /** Since when another certificate is wanted: the machine hears of it with its next report, and asks. */
  renewal: z.iso.datetime().optional(),
});
export type Machine = z.infer<typeof Machine>;
