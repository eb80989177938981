import { recordRollout as effect } from '../../shared/workloads/record-rollout.ts';
import { recordRollout } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const recordRolloutActivity = activity(recordRollout, (input, { workloads }) =>
  effect(workloads, input),
);
