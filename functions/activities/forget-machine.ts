import { forgetMachine } from '../../shared/machines/machine-activities.ts';
import { activity } from './activity.ts';

export const forget = activity(forgetMachine, async ({ machine, failed }, made) => {
  const found = await made.machines.get(machine);
  if (found === undefined) return null;
  if (found.status.state === 'retiring' || (failed && found.status.state === 'failed')) {
    // Its place in the pool first: a machine that has neither record nor place is not looked for again.
    await made.workloads.capacity.removeMachine(found.pool, machine);
    if (found.status.state === 'failed') await made.consoles.remove(machine);
    await made.machines.remove(machine);
  }
  return null;
});
