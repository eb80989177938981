import { lookAtMachine } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const look = activity(
  lookAtMachine,
  async ({ machine }, made) => (await made.machines.get(machine)) ?? null,
);
