import { removeCommand as remove } from '../../shared/machines/run/end-run.ts';
import { removeCommand } from '../../shared/machines/run/run-activities.ts';
import { activity } from './activity.ts';

export const removal = activity(removeCommand, ({ run }, made) => remove(made, run));
