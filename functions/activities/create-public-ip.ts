import { createPublicIp } from '../../shared/machines/machine-activities.ts';
import { expectedAttempt } from '../../shared/machines/superseded.ts';
import { activity } from './activity.ts';

export const publicIp = activity(createPublicIp, async ({ machine, attempt }, made) => {
  const { resources, hand } = expectedAttempt(machine, await made.machines.get(machine), attempt);
  if (resources.publicIp === undefined) return { status: 'done' };
  const { dnsLabel } = hand ?? {};
  return await made.publicAccess.createPublicIp({
    name: resources.publicIp,
    machine,
    ...(dnsLabel !== undefined && { dnsLabel }),
  });
});
