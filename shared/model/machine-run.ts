import { z } from 'zod';
import { MachineName } from './names.ts';

/** Runs that were asked for together; the later, the earlier it sorts. */
export const RunBatch = z.string().regex(/^\d{15}-[0-9a-f]{8}$/, 'expected the id of a run');
/** A run's own id, or that of all that were asked for together. */
export const RunId = z
  .string()
  .regex(
    /^\d{15}-[0-9a-f]{8}(\.[a-z][a-z0-9-]*)?$/,
    'expected the id of a run, as berth machine runs lists them',
  );

export const OperatingSystem = z.enum(['linux', 'windows']);
export type OperatingSystem = z.infer<typeof OperatingSystem>;

export const RunState = z.discriminatedUnion('state', [
  /** Recorded; ARM is being asked. */
  z.object({ state: z.literal('starting'), since: z.iso.datetime() }),
  z.object({ state: z.literal('running'), since: z.iso.datetime() }),
  z.object({ state: z.literal('succeeded'), at: z.iso.datetime(), exitCode: z.literal(0) }),
  /** Without an exit code it never ran, or its end was never heard. */
  z.object({
    state: z.literal('failed'),
    at: z.iso.datetime(),
    exitCode: z.number().int().optional(),
    reason: z.string(),
  }),
  z.object({ state: z.literal('timed-out'), at: z.iso.datetime(), reason: z.string() }),
  z.object({ state: z.literal('canceled'), at: z.iso.datetime(), by: z.string() }),
]);
export type RunState = z.infer<typeof RunState>;

/** One command on one machine. */
export const MachineRun = z.object({
  /** `<batch>.<machine>` */
  id: RunId,
  batch: RunBatch,
  machine: MachineName,
  /** ARM names of the VM, and of the run command under it: recorded before the PUT. */
  vm: z.string(),
  command: z.string(),
  os: OperatingSystem,
  /** What was asked for, shortened; without anything protected. */
  what: z.string(),
  user: z.string().optional(),
  /** Who asked. */
  by: z.string(),
  createdAt: z.iso.datetime(),
  /** Seconds. */
  timeout: z.number().int().positive(),
  status: RunState,
  /** Somebody wants it to end. */
  cancel: z.object({ at: z.iso.datetime(), by: z.string() }).optional(),
  /** Whether ARM has nothing of it any more. */
  removed: z.boolean(),
});
export type MachineRun = z.infer<typeof MachineRun>;

export const hasEnded = ({ status }: Pick<MachineRun, 'status'>): boolean =>
  status.state !== 'starting' && status.state !== 'running';

/** Names of the blobs that hold all of a run's output. */
export const outputBlob = (run: string, stream: 'stdout' | 'stderr'): string => `${run}/${stream}`;
