import type { Typed } from 'rhea';
import { types } from './amqp.ts';
import { writeMessage } from './message-sections.ts';
import type { Stored } from './stored-message.ts';

/** As `x-opt-message-state` counts. */
const states = { active: 0, deferred: 1, scheduled: 2 } as const;

/** A stored message as receivers get it, with the annotations that Service Bus adds. */
export function deliveredBytes(message: Stored): Buffer {
  const annotations: Record<string, Typed> = {
    'x-opt-enqueued-time': types.wrap_timestamp(message.enqueuedAt),
    'x-opt-sequence-number': types.wrap_long(message.sequence),
    'x-opt-enqueue-sequence-number': types.wrap_long(message.enqueueSequence ?? message.sequence),
    'x-opt-message-state': types.wrap_int(states[message.state]),
  };
  if (message.lockedUntil !== undefined)
    annotations['x-opt-locked-until'] = types.wrap_timestamp(message.lockedUntil);
  if (message.dead) annotations['x-opt-deadletter-source'] = types.wrap_string(message.queue);
  return writeMessage(message.sections, { deliveryCount: message.deliveryCount, annotations });
}
