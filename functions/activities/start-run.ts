import { startRun } from '../../shared/workloads/run-job.ts';
import { startRun as effect } from '../../shared/workloads/start-run.ts';
import { activity } from './activity.ts';

export const startRunActivity = activity(startRun, (input, { workloads }) => effect(workloads, input));
