import { awaitDependencies as effect } from '../../shared/workloads/await-dependencies.ts';
import { awaitDependencies } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const awaitDependenciesActivity = activity(awaitDependencies, (input, { workloads }) =>
  effect(workloads, input),
);
