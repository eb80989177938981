import { z } from 'zod';
import { Machine } from '../model/machine.ts';
import { MachineName } from '../model/names.ts';
import { signature } from '../model/signature.ts';
import { type Operation, type Progress, RESOURCE_KINDS } from './cloud.ts';
import { ProvisionMachine } from './provisioning.ts';

const machine = z.object({ machine: MachineName });
/** Our own values, checked where they were made. */
const progress = z.custom<Progress>();
const nothing = z.null();

/** Chooses the size and writes the record, before anything is asked of ARM. Refuses with `no-size-left`. */
export const recordMachine = signature('record-machine', {
  input: z.object({
    request: ProvisionMachine,
    /** Sizes that ARM refused this machine. */
    tried: z.array(z.string()),
    owner: z.string(),
  }),
  output: Machine,
});

export const ensureNetwork = signature('ensure-network', { input: z.object({}), output: progress });
export const createNic = signature('create-nic', { input: machine, output: progress });
/** Records the NIC's address, then asks for the VM with its customData. */
export const createVirtualMachine = signature('create-virtual-machine', { input: machine, output: progress });

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

/** Records why a machine did not come to be, with the end of its console log. */
export const failMachine = signature('fail-machine', {
  input: z.object({ machine: MachineName, code: z.string(), reason: z.string() }),
  output: nothing,
});

/** Marks a machine as retiring; answers its record, null if there is none. A failed one stays failed. */
export const beginRetirement = signature('begin-retirement', {
  input: z.object({ machine: MachineName, reason: z.string(), owner: z.string() }),
  output: Machine.nullable(),
});

/** Deletes the record of a retired machine; that of a failed one stays, to say why. */
export const forgetMachine = signature('forget-machine', { input: machine, output: nothing });

/** External event that the first report of a machine raises to the orchestration that provisions it: its record. */
export const READY_EVENT = 'ready';
