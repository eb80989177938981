import { noteRemoved } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const note = activity(noteRemoved, async ({ machine, vms }, made) => {
  await made.machines.change(machine, (current) => {
    const leftovers = current.leftovers.filter(({ vm }) => !vms.includes(vm));
    return leftovers.length === current.leftovers.length ? undefined : { ...current, leftovers };
  });
  return null;
});
