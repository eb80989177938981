import { startReplica } from '../../shared/workloads/replica-activities.ts';
import { startReplica as effect } from '../../shared/workloads/start-replica.ts';
import { activity } from './activity.ts';

export const startReplicaActivity = activity(startReplica, (input, { workloads }) =>
  effect(workloads, input),
);
