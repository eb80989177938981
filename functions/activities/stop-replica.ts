import { stopReplica } from '../../shared/workloads/replica-activities.ts';
import { stopReplica as effect } from '../../shared/workloads/stop-replica.ts';
import { activity } from './activity.ts';

export const stopReplicaActivity = activity(stopReplica, (input, { workloads }) => effect(workloads, input));
