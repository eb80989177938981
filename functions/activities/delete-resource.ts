import { deleteResource } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const remove = activity(deleteResource, ({ kind, name }, { cloud }) => {
  switch (kind) {
    case 'vm':
      return cloud.deleteVirtualMachine(name);
    case 'nic':
      return cloud.deleteNic(name);
    case 'disk':
      return cloud.deleteDisk(name);
  }
});
