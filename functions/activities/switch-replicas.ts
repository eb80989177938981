import { switchReplicas } from '../../shared/workloads/replica-activities.ts';
import { switchReplicas as effect } from '../../shared/workloads/switch-replicas.ts';
import { activity } from './activity.ts';

export const switchReplicasActivity = activity(switchReplicas, (input, { workloads }) =>
  effect(workloads, input),
);
