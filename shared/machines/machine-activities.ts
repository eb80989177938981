import { z } from 'zod';
import { Machine } from '../model/machine.ts';
import { MachineName } from '../model/names.ts';
import { signature } from '../model/signature.ts';
import { type Operation, type Progress, RESOURCE_KINDS } from './cloud.ts';
import { Shortage } from './offerings/shortage.ts';
import { ExpectedMachine, ProvisionMachine } from './provisioning.ts';

const machine = z.object({ machine: MachineName });
const attempt = z.object({ machine: MachineName, attempt: z.number().int().min(1) });
/** Our own values, checked where they were made. */
const progress = z.custom<Progress>();
const nothing = z.null();

/** Chooses the size and writes the record, before anything is asked of ARM. Refuses with `no-size-left`. */
export const recordMachine = signature('record-machine', {
  input: z.object({
    request: ProvisionMachine,
    /** What ARM refused this machine, as `offeringText` says it. */
    tried: z.array(z.string()),
    /** Counts from 1; another one gets other names in ARM. */
    attempt: z.number().int().min(1),
    /** Whether ARM may have something of the attempt before. */
    left: z.boolean(),
    owner: z.string(),
  }),
  output: Machine,
});

/** ARM refused the machine as it was recorded: what it was is not asked for again for a while, by any pool. */
export const noteRefusal = signature('note-refusal', {
  input: z.object({ machine: MachineName, shortage: Shortage, reason: z.string() }),
  output: nothing,
});

export const ensureNetwork = signature('ensure-network', { input: z.object({}), output: progress });
/** Public address and security group of a machine made by hand. They refuse as `createNic` does. */
export const createPublicIp = signature('create-public-ip', { input: attempt, output: progress });
export const createSecurityGroup = signature('create-security-group', { input: attempt, output: progress });
/** Refuses with `machine-superseded` when the record is of another attempt, or the machine is no longer to come. */
export const createNic = signature('create-nic', { input: attempt, output: progress });
/** Records the NIC's address, then asks for the VM with its customData. Refuses as `createNic` does. */
export const createVirtualMachine = signature('create-virtual-machine', { input: attempt, output: progress });

export const pollOperation = signature('poll-operation', {
  input: z.object({ operation: z.custom<Operation>() }),
  output: progress,
});

export const deleteResource = signature('delete-resource', {
  input: z.object({ kind: z.enum(RESOURCE_KINDS), name: z.string() }),
  output: progress,
});

/** The record of a machine; null if there is none. */
export const lookAtMachine = signature('look-at-machine', { input: machine, output: Machine.nullable() });

/**
 * Records why a machine did not come to be, with the end of its console log, which is kept in full in a blob. What it
 * has in ARM becomes its leftovers. Answers the record; null if there is none. One that is retiring stays so.
 */
export const failMachine = signature('fail-machine', {
  input: z.object({
    machine: MachineName,
    owner: z.string(),
    code: z.string(),
    reason: z.string(),
    remedy: z.string().optional(),
  }),
  output: Machine.nullable(),
});

/** Nothing is left in ARM under these names: strikes them from the record. */
export const noteRemoved = signature('note-removed', {
  input: z.object({ machine: MachineName, vms: z.array(z.string()) }),
  output: nothing,
});

/**
 * Marks a machine as retiring; answers its record, null if there is none or it is not as expected any more. A failed
 * one stays failed.
 */
export const beginRetirement = signature('begin-retirement', {
  input: z.object({
    machine: MachineName,
    reason: z.string(),
    owner: z.string(),
    expected: ExpectedMachine.optional(),
  }),
  output: Machine.nullable(),
});

/** Deletes the record of a retired machine; that of a failed one stays, to say why, unless `failed` is set. */
export const forgetMachine = signature('forget-machine', {
  input: z.object({ machine: MachineName, failed: z.boolean().default(false) }),
  output: nothing,
});

/**
 * External event to the orchestration that provisions a machine: its record. Raised by its first report, by a
 * cloud-init that failed, and by who removes it.
 */
export const READY_EVENT = 'ready';
