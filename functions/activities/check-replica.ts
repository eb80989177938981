import { checkReplica as effect } from '../../shared/workloads/check-replica.ts';
import { checkReplica } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const checkReplicaActivity = activity(checkReplica, (input, { workloads }) =>
  effect(workloads, input),
);
