import { pushIngress } from '../../shared/ingress/ingress-activities.ts';
import { activity } from './activity.ts';

export const pushIngressActivity = activity(pushIngress, async (_input, { notice }) => {
  const { version, failed } = await notice.push();
  return { version, failed: failed.length };
});
