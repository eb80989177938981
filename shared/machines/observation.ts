import { z } from 'zod';
import { BootReport } from '../model/machine.ts';

/**
 * What a machine's agent and the API say to each other. The agent is a Python script: these schemas are its contract.
 * Both requests carry the machine's identity token for `https://management.azure.com/` as bearer token.
 */

/** POST /api/v1/machines/<name>/registration: the machine asks for its engine's certificate. */
export const RegistrationRequest = z.strictObject({
  /** PKCS #10, PEM. CN is the machine's name; subject alternative names are its name and private address. */
  csr: z.string().startsWith('-----BEGIN CERTIFICATE REQUEST-----').max(8192),
  /** Public host keys of its sshd, if it has one: `<type> <base64>` (RFC 4253, 6.6). */
  hostKeys: z
    .array(z.string().regex(/^(ssh|ecdsa)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{40,4000}={0,2}$/))
    .max(10)
    .optional(),
});
export type RegistrationRequest = z.infer<typeof RegistrationRequest>;

/** 200 */
export const RegistrationResponse = z.strictObject({
  /** The engine's server certificate, PEM. */
  certificate: z.string(),
  /** The engine CA's certificate, PEM: whose client certificates the engine admits. */
  ca: z.string(),
});
export type RegistrationResponse = z.infer<typeof RegistrationResponse>;

/** POST /api/v1/machines/<name>/boot, answered 204: once, when cloud-init has ended. */
export const BootRequest = BootReport.omit({ at: true }).strict();
export type BootRequest = z.infer<typeof BootRequest>;

/**
 * POST /api/v1/machines/<name>/scheduled-events, answered 200: what the metadata service announces, whenever that changes,
 * and every two seconds while something is announced. Members as the metadata service has them.
 * https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
 */
export const ScheduledEventsReport = z.strictObject({
  events: z
    .array(
      z.object({
        EventId: z.string().max(200),
        /** Freeze, Reboot, Redeploy, Preempt, Terminate. */
        EventType: z.string().max(100),
        /** Names of VMs. */
        Resources: z.array(z.string().max(200)).max(1000),
        /** Scheduled, Started. */
        EventStatus: z.string().max(100),
        /** RFC 1123; empty when it has started. */
        NotBefore: z.string().max(100),
      }),
    )
    .max(100),
});
export type ScheduledEventsReport = z.infer<typeof ScheduledEventsReport>;
export type ScheduledEvent = ScheduledEventsReport['events'][number];

/** Events that may begin at once, since nothing is in their way: the agent approves them (`StartRequests`). */
export const ScheduledEventsAnswer = z.strictObject({ approve: z.array(z.string()) });
export type ScheduledEventsAnswer = z.infer<typeof ScheduledEventsAnswer>;

const labels = z.record(z.string(), z.string());

export const ObservedContainer = z.strictObject({
  /** 64 hex digits. */
  id: z.string(),
  /** Without the slash that the Engine API puts before it. */
  name: z.string(),
  labels,
  /** Everything that does not run is `exited`; one that was never started has no exit code. */
  state: z.enum(['running', 'exited']),
  exitCode: z.number().int().optional(),
  /** Of the image's own health check, if it has one. */
  health: z.enum(['starting', 'healthy', 'unhealthy']).optional(),
  /** It stopped answering, by what its label `berth.watch` asks; `dead`: it is to be made anew at once. */
  unhealthy: z
    .strictObject({ since: z.iso.datetime(), reason: z.string().max(500), dead: z.boolean() })
    .optional(),
});
export type ObservedContainer = z.infer<typeof ObservedContainer>;

export const Death = z.strictObject({
  id: z.string(),
  name: z.string(),
  labels,
  exitCode: z.number().int(),
  /** RFC 3339 with nanoseconds, from the engine's event: with the id it makes the death unique. */
  time: z.iso.datetime(),
});
export type Death = z.infer<typeof Death>;

/**
 * POST /api/v1/machines/<name>/observations, answered 204 or 200: every 10 s, and at once when a container died or its
 * health changed. Only containers that carry a label `berth.environment` are listed.
 */
export const MachineObservation = z.strictObject({
  time: z.iso.datetime(),
  containers: z.array(ObservedContainer),
  usage: z.strictObject({
    /** Cores in use, as a mean since the last observation. */
    cpu: z.number().min(0),
    /** MiB in use, caches not counted. */
    memory: z.number().min(0),
    /** MiB in use of the filesystem that holds /var/lib/docker. */
    disk: z.number().min(0),
  }),
  /** Since the last observation that was answered. */
  died: z.array(Death).optional(),
});
export type MachineObservation = z.infer<typeof MachineObservation>;

/** 200, where the machine is to do something; 204 otherwise. Members that it does not know it passes over. */
export const ObservationAnswer = z.object({
  /** Ask for another certificate now, whatever the present one says of itself. */
  renewCertificate: z.boolean().optional(),
  /** Ask what there is to know of the containers' network: it was not told while it was away. */
  refreshNetwork: z.boolean().optional(),
});
export type ObservationAnswer = z.infer<typeof ObservationAnswer>;
