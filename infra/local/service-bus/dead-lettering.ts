import { withProperties } from './message-sections.ts';
import type { QueueSettings } from './queue.ts';
import type { Query } from './queue-store.ts';
import type { Stored } from './stored-message.ts';

/** Moves a message to the dead-letter queue, where it never expires. */
export function deadLetterRow(
  query: Query,
  message: Stored,
  changes: Readonly<Record<string, unknown>>,
): void {
  query(
    `UPDATE messages SET dead = 1, state = 'active', lock_token = NULL, locked_until = NULL,
       due_at = NULL, expires_at = NULL, application_properties = ? WHERE sequence = ?`,
    withProperties(message.sections.applicationProperties, changes) ?? null,
    message.sequence,
  );
}

/**
 * A delivery that was abandoned, or whose lock expired.
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues
 */
export function failDelivery(query: Query, queue: QueueSettings, message: Stored): void {
  const deliveryCount = message.deliveryCount + 1;
  query(
    'UPDATE messages SET delivery_count = ?, lock_token = NULL, locked_until = NULL WHERE sequence = ?',
    deliveryCount,
    message.sequence,
  );
  if (message.dead || deliveryCount < queue.maxDeliveryCount) return;
  deadLetterRow(query, message, {
    DeadLetterReason: 'MaxDeliveryCountExceeded',
    DeadLetterErrorDescription: `Message could not be consumed after ${queue.maxDeliveryCount} delivery attempts.`,
  });
}
