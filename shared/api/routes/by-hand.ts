import { z } from 'zod';
import { Cidr, OpenPort } from '../../model/admission.ts';
import { Machine } from '../../model/machine.ts';
import { NewMachine } from '../../model/new-machine.ts';
import { Priority } from '../../model/pool.ts';
import { flag, ofMachine } from '../parameters.ts';
import { route } from '../route.ts';

/** US dollars per hour; what Berth's table of prices does not know is absent. */
export const HourlyCost = z.object({
  machine: z.number().optional(),
  /** Billed also while the machine is stopped. */
  disk: z.number().optional(),
  /** Billed also while the machine is stopped; absent where there is none. */
  publicAddress: z.number().optional(),
  /** Of those that are known. */
  total: z.number(),
});
export type HourlyCost = z.infer<typeof HourlyCost>;

/** What would be made, or is being made. */
export const MachinePlan = z.object({
  name: z.string(),
  size: z.string(),
  cpu: z.number(),
  /** MiB. */
  memory: z.number(),
  image: z.string(),
  location: z.string(),
  zone: z.string().optional(),
  priority: Priority,
  publicAddress: z.boolean(),
  hostname: z.string().optional(),
  network: z.string(),
  subnet: z.string(),
  allowFrom: z.array(z.string()),
  openPorts: z.array(z.string()),
  adminUser: z.string(),
  sshKeys: z.number().int(),
  tags: z.record(z.string(), z.string()),
  /** Bytes of cloud-init data in all, of 65,535. */
  customData: z.number().int(),
  cost: HourlyCost,
  /** Kinds of what is made in Azure, in this order. */
  makes: z.array(z.string()),
});
export type MachinePlan = z.infer<typeof MachinePlan>;

/** Something that takes minutes: it is under way when the answer comes, and `machine-operations/{operation}` tells of it. */
export const MachineOperation = z.object({
  operation: z.string(),
  kind: z.enum(['create', 'remove', 'start', 'stop', 'restart', 'allow-from']),
  machine: z.string(),
  status: z.enum(['going', 'done', 'failed']),
  /** What it is at: `network`, `public-ip`, `vm`, `registration`, … */
  step: z.string().optional(),
  since: z.iso.datetime(),
  /** Of one that failed. */
  code: z.string().optional(),
  reason: z.string().optional(),
  remedy: z.string().optional(),
});
export type MachineOperation = z.infer<typeof MachineOperation>;

/** A machine with the operation that was begun. */
const begun = z.object({ machine: Machine, operation: MachineOperation });
/** What routes have in common that begin an operation on a machine. */
const begins = { permission: 'machines.operate', params: ofMachine, status: 202 } as const;

export const planMachine = route({
  name: 'plan-machine',
  method: 'POST',
  path: '/api/v1/machine-plans',
  permission: 'machines.operate',
  summary: 'What a machine by hand would be and cost by the hour; checks everything, makes nothing.',
  body: { schema: NewMachine },
  answer: z.object({ plan: MachinePlan }),
});

export const createMachine = route({
  name: 'create-machine',
  method: 'POST',
  path: '/api/v1/machines',
  permission: 'machines.operate',
  summary: 'Makes a machine by hand: recorded when this answers, ready when its engine has reported.',
  body: { schema: NewMachine },
  status: 202,
  answer: begun.extend({ plan: MachinePlan }),
});

export const getMachineOperation = route({
  name: 'get-machine-operation',
  method: 'GET',
  path: '/api/v1/machine-operations/{operation}',
  permission: 'machines.read',
  summary: 'How something that was asked of a machine goes.',
  params: z.object({
    operation: z.string().regex(/^[a-z0-9.-]{1,200}$/, 'expected the `operation` of an answer'),
  }),
  answer: MachineOperation,
});

export const removeMachine = route({
  name: 'remove-machine',
  method: 'DELETE',
  path: '/api/v1/machines/{machine}',
  ...begins,
  summary:
    'Removes a machine with all that was made for it. One that carries replicas is refused (409), unless they may be moved or lost.',
  query: z.strictObject({
    /** Replicas are started elsewhere first. */
    drain: flag.default(false),
    /** Replicas are lost. */
    force: flag.default(false),
  }),
  answer: begun,
});

export const startMachine = route({
  name: 'start-machine',
  method: 'POST',
  path: '/api/v1/machines/{machine}/start',
  ...begins,
  summary: 'Starts a machine by hand that was stopped.',
  answer: begun,
});

export const stopMachine = route({
  name: 'stop-machine',
  method: 'POST',
  path: '/api/v1/machines/{machine}/stop',
  ...begins,
  summary:
    'Stops a machine by hand and gives its cores back (deallocates): its disk and public address are billed on.',
  /** `billed`: what goes on costing while it is stopped. */
  answer: begun.extend({ billed: HourlyCost }),
});

export const restartMachine = route({
  name: 'restart-machine',
  method: 'POST',
  path: '/api/v1/machines/{machine}/restart',
  ...begins,
  summary: 'Restarts a machine. One that carries replicas is refused (409) without `force`.',
  query: z.strictObject({ force: flag.default(false) }),
  answer: begun,
});

export const regenerateCertificate = route({
  name: 'regenerate-certificate',
  method: 'POST',
  path: '/api/v1/machines/{machine}/certificate',
  ...begins,
  summary:
    'Has a machine ask for a new certificate of its engine, with its next report: `certificate.serial` of the machine changes then.',
  answer: z.object({ machine: Machine }),
});

export const changeAllowFrom = route({
  name: 'change-allow-from',
  method: 'PUT',
  path: '/api/v1/machines/{machine}/allow-from',
  ...begins,
  summary: 'Changes from where a machine by hand is reached, and at which ports.',
  body: {
    schema: z.strictObject({
      /** Absent: the address that the request comes from. */
      allowFrom: z.array(Cidr).max(100).optional(),
      /** Absent: as before. */
      openPorts: z.array(OpenPort).max(100).optional(),
    }),
  },
  answer: begun,
});

/** PEM, SubjectPublicKeyInfo: ECDSA P-256 or P-384; or a PKCS #10 request with such a key, whose subject is not used. */
const ClientKey = z.union([
  z.strictObject({ publicKey: z.string().startsWith('-----BEGIN PUBLIC KEY-----').max(8192) }),
  z.strictObject({ csr: z.string().startsWith('-----BEGIN CERTIFICATE REQUEST-----').max(8192) }),
]);

export const issueClientCertificate = route({
  name: 'issue-client-certificate',
  method: 'POST',
  path: '/api/v1/client-certificates',
  permission: 'machines.operate',
  summary:
    "A certificate with which the caller's docker comes to the engines of machines: 24 hours, its subject is the caller's id.",
  body: { schema: ClientKey },
  answer: z.object({
    /** PEM. */
    certificate: z.string(),
    /** The engine CA's certificate, PEM: who signed it, and engines' certificates. */
    ca: z.string(),
    /** Hex. */
    serial: z.string(),
    notAfter: z.iso.datetime(),
    /** The caller's id, as the engine's log names it. */
    subject: z.string(),
  }),
});

export const getConsole = route({
  name: 'get-console',
  method: 'GET',
  path: '/api/v1/machines/{machine}/console',
  permission: 'machines.read',
  summary: "What a machine's serial console said: of one that failed, as it was kept.",
  params: ofMachine,
  answerType: 'text/plain',
  answer: z.string(),
});
