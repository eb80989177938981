import { deleteResource } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const remove = activity(deleteResource, ({ kind, name }, { cloud }) =>
  cloud.deleteResource(kind, name),
);
