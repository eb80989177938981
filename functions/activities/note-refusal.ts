import { noteRefusal } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const noteRefused = activity(noteRefusal, async ({ machine: name, shortage, reason }, made) => {
  const machine = await made.machines.get(name);
  if (machine !== undefined) await made.offers.refused(machine, shortage, reason);
  return null;
});
