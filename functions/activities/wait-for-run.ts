import { waitForRun } from '../../shared/workloads/run-job.ts';
import { waitForRun as effect } from '../../shared/workloads/wait-for-run.ts';
import { activity } from './activity.ts';

export const waitForRunActivity = activity(waitForRun, (input, { workloads }) => effect(workloads, input));
