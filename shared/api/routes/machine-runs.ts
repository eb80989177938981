import { z } from 'zod';
import { MachineRun, RunId } from '../../model/machine-run.ts';
import { MachineName, PoolName } from '../../model/names.ts';
import { route } from '../route.ts';

const runs = '/api/v1/machine-runs' as const;
const one = `${runs}/{run}` as const;
const ofRun = z.object({ run: RunId });

/** Machines by their names, or the ready ones of a pool, or with labels, or both of these. */
export const RunOn = z
  .strictObject({
    machines: z.array(MachineName).min(1).max(200).optional(),
    pool: PoolName.optional(),
    labels: z.record(z.string(), z.string()).optional(),
  })
  .refine(
    ({ machines, pool, labels }) =>
      (machines !== undefined) !== (pool !== undefined || Object.keys(labels ?? {}).length > 0),
    'expected machines, or a pool, labels or both',
  );
export type RunOn = z.infer<typeof RunOn>;

/** Most seconds that a command may take. */
const LONGEST = 24 * 3600;

export const RunRequest = z.strictObject({
  on: RunOn,
  /** One element is a line of the machine's shell, several are a program and its arguments. */
  command: z.array(z.string()).min(1).max(1000).optional(),
  /** Text of a script: bash on Linux, PowerShell on Windows. */
  script: z.string().optional(),
  /** What lists show for a script. */
  name: z.string().max(100).optional(),
  /** Settings of the CustomScript extension, as they are. */
  customScript: z
    .strictObject({ settings: z.unknown().optional(), protectedSettings: z.unknown().optional() })
    .optional(),
  /** On Linux variables of the environment, on Windows parameters of the script. */
  parameters: z.record(z.string(), z.string()).default({}),
  /** The same, for what must not be seen: kept nowhere. */
  protectedParameters: z.record(z.string(), z.string()).default({}),
  user: z.string().min(1).max(64).optional(),
  password: z.string().min(1).optional(),
  /** Seconds; 90 minutes if left out. */
  timeout: z.number().int().min(1).max(LONGEST).default(5400),
});
export type RunRequest = z.infer<typeof RunRequest>;

const Runs = z.object({ runs: z.array(MachineRun) });

export const startMachineRuns = route({
  name: 'start-machine-runs',
  method: 'POST',
  path: runs,
  permission: 'machines.operate',
  summary:
    'Runs a command or script on machines, as root, once each. The same Idempotency-Key again answers the same runs.',
  body: { schema: RunRequest },
  status: 202,
  answer: Runs.extend({ batch: z.string() }),
});

export const listMachineRuns = route({
  name: 'list-machine-runs',
  method: 'GET',
  path: runs,
  permission: 'machines.operate',
  summary: 'Runs of the last 30 days, the newest first.',
  query: z.strictObject({
    machine: MachineName.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(50),
  }),
  answer: Runs,
});

export const getMachineRuns = route({
  name: 'get-machine-runs',
  method: 'GET',
  path: one,
  permission: 'machines.operate',
  summary: 'One run, or all that were asked for together.',
  params: ofRun,
  answer: Runs,
});

export const cancelMachineRuns = route({
  name: 'cancel-machine-runs',
  method: 'DELETE',
  path: one,
  permission: 'machines.operate',
  summary: 'Ends one run, or all that were asked for together; what has ended stays as it is.',
  params: ofRun,
  answer: Runs,
});

const Piece = z.object({
  /** base64: what stands there from the offset that was asked for on, at most 256 KiB. */
  data: z.base64(),
  /** Offset after it. */
  next: z.number().int().min(0),
});

const offset = z.coerce.number().int().min(0).default(0);

export const readMachineRunOutput = route({
  name: 'read-machine-run-output',
  method: 'GET',
  path: `${one}/output`,
  permission: 'machines.operate',
  summary: 'The output of one run from given bytes on, and how the run stands; ask again to follow it.',
  params: ofRun,
  query: z.strictObject({ stdout: offset, stderr: offset }),
  answer: z.object({
    run: MachineRun,
    stdout: Piece,
    stderr: Piece,
    /** The run has ended, and this is the last of its output. */
    complete: z.boolean(),
  }),
});
