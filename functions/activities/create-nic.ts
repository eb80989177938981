import { createNic } from '../../shared/machines/machine-activities.ts';
import { resourceNames } from '../../shared/machines/machine-names.ts';
import { activity } from './activity.ts';

export const nic = activity(createNic, ({ machine }, made) =>
  made.cloud.createNic({ name: resourceNames(machine).nic, machine }),
);
