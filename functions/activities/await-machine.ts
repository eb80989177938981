import { awaitMachine as effect } from '../../shared/workloads/await-machine.ts';
import { awaitMachine } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const awaitMachineActivity = activity(awaitMachine, (input, { workloads }) =>
  effect(workloads, input),
);
