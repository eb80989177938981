import { createNic } from '../../shared/machines/machine-activities.ts';
import { expectedAttempt } from '../../shared/machines/superseded.ts';
import { activity } from './activity.ts';

export const nic = activity(createNic, async ({ machine, attempt }, made) => {
  const { resources } = expectedAttempt(machine, await made.machines.get(machine), attempt);
  return await made.cloud.createNic({ name: resources.nic, machine });
});
