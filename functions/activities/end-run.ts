import { endRun as effect } from '../../shared/workloads/end-run.ts';
import { endRun } from '../../shared/workloads/run-job.ts';
import { activity } from './activity.ts';

export const endRunActivity = activity(endRun, (input, { workloads }) => effect(workloads, input));
