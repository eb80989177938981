import { noteProgress as effect } from '../../shared/workloads/note-progress.ts';
import { noteProgress } from '../../shared/workloads/replica-activities.ts';
import { activity } from './activity.ts';

export const noteProgressActivity = activity(noteProgress, (input, { workloads }) =>
  effect(workloads, input),
);
