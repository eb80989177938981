import { observeService as effect } from '../../shared/workloads/observe-service.ts';
import { observeService } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const observeServiceActivity = activity(observeService, (input, { workloads }) =>
  effect(workloads, input),
);
