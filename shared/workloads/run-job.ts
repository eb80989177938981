import { z } from 'zod';
import { Run } from '../model/job.ts';
import { signature } from '../model/signature.ts';

/** One execution of a job; instance id: that of the run. */
export const RunJob = z.object({ run: Run });
export type RunJob = z.infer<typeof RunJob>;

export const runJob = signature('run-job', {
  input: RunJob,
  output: z.custom<{ readonly state: 'succeeded' | 'failed' }>(),
});
