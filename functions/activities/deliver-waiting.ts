import { deliverWaiting } from '../../shared/events/deliver-events.ts';
import { deliverWaiting as effect } from '../../shared/registry/subscriptions/deliver-waiting.ts';
import { activity } from './activity.ts';

export const deliverWaitingActivity = activity(deliverWaiting, (input, { delivery }) =>
  effect(delivery, input),
);
