import { z } from 'zod';
import { RunId } from '../../model/machine-run.ts';
import { signature } from '../../model/signature.ts';

const ofRun = z.object({ run: RunId });

/** Asks ARM how a run stands, and records its end. */
export const lookAtCommand = signature('look-at-command', {
  input: ofRun.extend({ overdue: z.boolean() }),
  output: z.object({
    over: z.boolean(),
    /** Milliseconds since 1970 after which the platform should have ended it. */
    deadline: z.number(),
  }),
});

/** Removes what ARM has of a run; answers whether nothing is left. */
export const removeCommand = signature('remove-command', { input: ofRun, output: z.boolean() });

/** Orchestration: follows one run to its end, then removes its run command. Instance id `runInstance(run)`. */
export const runCommand = signature('run-command', { input: ofRun, output: z.null() });

export const runInstance = (run: string): string => `command-${run}`;
