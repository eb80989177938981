import { createSecurityGroup } from '../../shared/machines/machine-activities.ts';
import { expectedAttempt } from '../../shared/machines/superseded.ts';
import { activity } from './activity.ts';

export const group = activity(createSecurityGroup, async ({ machine, attempt }, made) => {
  const { resources, hand } = expectedAttempt(machine, await made.machines.get(machine), attempt);
  if (resources.securityGroup === undefined) return { status: 'done' };
  const { allowFrom = [], openPorts = [] } = hand ?? {};
  return await made.publicAccess.putSecurityGroup({
    name: resources.securityGroup,
    machine,
    allowFrom,
    openPorts,
  });
});
