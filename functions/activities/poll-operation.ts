import { pollOperation } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const poll = activity(pollOperation, ({ operation }, made) => made.cloud.poll(operation));
