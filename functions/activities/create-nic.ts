import { createNic } from '../../shared/machines/machine-activities.ts';
import { expectedAttempt } from '../../shared/machines/superseded.ts';
import { activity } from './activity.ts';

export const nic = activity(createNic, async ({ machine, attempt }, made) => {
  const { resources, hand } = expectedAttempt(machine, await made.machines.get(machine), attempt);
  const { nic: name, publicIp, securityGroup } = resources;
  return await made.cloud.createNic({
    name,
    machine,
    ...(publicIp !== undefined && { publicIp }),
    ...(securityGroup !== undefined && { securityGroup }),
    ...(hand?.subnet !== undefined && { subnet: hand.subnet }),
    ...(hand?.address !== undefined && { address: hand.address }),
  });
});
