import { z } from 'zod';
import type { MachineRuntime } from '../../machine-runtime/machine-runtime.ts';
import { guestAgent } from './guest-agent.ts';

/**
 * A blob that the machine writes, or a file that it fetches: by the address alone (SAS, public), or with its managed identity
 * (`clientId`, `objectId`, or none for the system-assigned one), or with an account's key (`account`, `accountKey`).
 */
export interface Place {
  readonly uri: string;
  readonly identity?: Readonly<Record<string, string>>;
}

/** One execution, as the machine's agent is asked for it. */
export type ScriptRequest = {
  /** Absolute path of the handler's log in the machine. */
  readonly log: string;
  /** Seconds. */
  readonly timeout: number;
  /** Words that follow the script on a shell line. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly files?: readonly Place[];
  /** Whether line ends of Windows are converted; in a script that is given they are if absent. */
  readonly dos2unix?: boolean;
  /** Where an extension's handler says how it stands. */
  readonly statusFile?: string;
  readonly stdoutBlob?: Place;
  readonly stderrBlob?: Place;
} & (
  | { /** base64, perhaps of gzip. */ readonly script: string }
  | { readonly scriptUri: string; readonly scriptIdentity?: Readonly<Record<string, string>> }
  | { /** A line for /bin/sh. */ readonly command: string }
);

const ScriptState = z.object({
  state: z.enum(['Unknown', 'Pending', 'Running', 'Failed', 'Succeeded', 'TimedOut', 'Canceled']),
  exitCode: z.number().int(),
  message: z.string(),
  startTime: z.string().optional(),
  endTime: z.string().optional(),
  /** The last 4,096 bytes. */
  output: z.string().default(''),
  error: z.string().default(''),
});
export type ScriptState = z.infer<typeof ScriptState>;

export const isOver = ({ state }: ScriptState): boolean => state !== 'Pending' && state !== 'Running';

/** Scripts in machines. An execution is named by its folder, absolute in the machine. */
export interface Guest {
  /** Begins it, once: the same folder again changes nothing. */
  start(machine: string, folder: string, request: ScriptRequest): Promise<void>;
  state(machine: string, folder: string): Promise<ScriptState>;
  /** Ends it, if it goes on, as Canceled. */
  stop(machine: string, folder: string): Promise<void>;
  /** Ends it, and removes its folder; a machine that does not run keeps what it has. */
  remove(machine: string, folder: string): Promise<void>;
}

const BEGIN = 'import sys; SOURCE = sys.argv[1]; del sys.argv[1]; exec(SOURCE)';

export function guestOf(runtime: MachineRuntime): Guest {
  const ask = async (machine: string, verb: string, folder: string, request?: ScriptRequest) => {
    const end = await runtime.run(machine, {
      command: ['python3', '-c', BEGIN, guestAgent, verb, folder],
      ...(request === undefined ? {} : { input: JSON.stringify(request) }),
    });
    if (end.exitCode === 0) return end.stdout;
    throw new Error(`the agent of ${machine} failed at ${verb} of ${folder}: ${end.stderr.slice(-2000)}`);
  };
  const ifRunning = async (machine: string, work: () => Promise<unknown>): Promise<void> => {
    if ((await runtime.state(machine)) === 'running') await work();
  };
  return {
    async start(machine, folder, request) {
      await ask(machine, 'start', folder, request);
    },
    state: async (machine, folder) => ScriptState.parse(JSON.parse(await ask(machine, 'state', folder))),
    stop: (machine, folder) => ifRunning(machine, () => ask(machine, 'stop', folder)),
    remove: (machine, folder) => ifRunning(machine, () => ask(machine, 'remove', folder)),
  };
}
