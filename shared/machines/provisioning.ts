import { z } from 'zod';
import { Machine } from '../model/machine.ts';
import { MachineName, PoolName } from '../model/names.ts';
import { PoolSpec } from '../model/pool.ts';
import { signature } from '../model/signature.ts';
import { RESOURCE_KINDS } from './cloud.ts';
import { BY_HAND } from './machine-names.ts';

/** What makes one machine. The caller chose the name and recorded it in `capacity` before. */
export const ProvisionMachine = z.object({
  pool: PoolName,
  spec: PoolSpec,
  /** Unused before: a new name for every attempt, since ARM keeps traces of failed ones. */
  machine: MachineName,
  /** The least that containers must be able to use of it: smaller sizes of the pool are passed over. Cores, MiB. */
  needs: z.object({ cpu: z.number(), memory: z.number() }).default({ cpu: 0, memory: 0 }),
  /** `<source> <id>` of the event that wants it. */
  cause: z.string(),
});
export type ProvisionMachine = z.infer<typeof ProvisionMachine>;

export const Provisioned = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ready'), machine: Machine }),
  /** Nothing of it is left in ARM, or the sweep removes it. */
  z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
]);
export type Provisioned = z.infer<typeof Provisioned>;

/** Sub-orchestration; instance id `machine-<name>`. */
export const provisionMachine = signature('provision-machine', {
  input: ProvisionMachine,
  output: Provisioned,
});

/** How a machine was when its retirement was decided: one that changed since then stays. */
export const ExpectedMachine = z.object({ state: z.string(), owner: z.string() });

export const RetireMachine = z.object({
  pool: PoolName,
  machine: MachineName,
  reason: z.string(),
  expected: ExpectedMachine.optional(),
  /** The record goes even if it says why the machine failed. */
  forget: z.boolean().optional(),
});
export type RetireMachine = z.infer<typeof RetireMachine>;

export const Retired = z.discriminatedUnion('status', [
  z.object({ status: z.literal('retired') }),
  z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
]);
export type Retired = z.infer<typeof Retired>;

/** Sub-orchestration: deletes all that the record names in ARM, then the record. */
export const retireMachine = signature('retire-machine', { input: RetireMachine, output: Retired });

/** Instance id of the orchestration that provisions a machine: machine names are never used twice. */
export const provisioningId = (machine: MachineName): string => `machine-${machine}`;
/** Of a machine whose name is never used again. */
export const retirementId = (machine: MachineName): string => `retire-${machine}`;
/** Instance id of the orchestration that removes a machine. Names of machines made by hand may be used again, their VMs' never. */
export const removalId = ({ name, pool, resources }: Pick<Machine, 'name' | 'pool' | 'resources'>): string =>
  pool === BY_HAND ? `retire-${resources.vm}` : retirementId(name);

export const RemoveOrphans = z.object({
  /** As the tag says it. */
  machine: z.string(),
  orphans: z.array(z.object({ kind: z.enum(RESOURCE_KINDS), name: z.string() })),
});
export type RemoveOrphans = z.infer<typeof RemoveOrphans>;

export const OrphansRemoved = z.discriminatedUnion('status', [
  z.object({ status: z.literal('removed') }),
  z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
]);
export type OrphansRemoved = z.infer<typeof OrphansRemoved>;

/** Deletes resources that belong to no machine; instance id `orphans-<machine>`. */
export const removeOrphans = signature('remove-orphans', { input: RemoveOrphans, output: OrphansRemoved });

/** Tags may hold what instance ids must not. */
export const orphanRemovalId = (machine: string): string => `orphans-${machine.replace(/[^\w.-]/g, '_')}`;
