import { z } from 'zod';

/** Settings of a queue, as ARM's `Microsoft.ServiceBus/namespaces/queues` has them. */
export const QueueSettings = z.object({
  name: z.string().regex(/^[a-z0-9]([a-z0-9._-]{0,258}[a-z0-9])?$/),
  maxDeliveryCount: z.number().int().min(1).max(2000),
  /** Azure allows up to 5 minutes. */
  lockSeconds: z.number().int().min(5).max(300),
  /** 0: no duplicate detection. */
  duplicateWindowSeconds: z
    .number()
    .int()
    .min(0)
    .max(7 * 24 * 3600),
  deadLetterOnExpiry: z.boolean().default(false),
});
export type QueueSettings = z.infer<typeof QueueSettings>;

/** A queue, or the dead-letter queue under it. */
export interface Entity {
  readonly queue: QueueSettings;
  readonly dead: boolean;
}

export const deadLetterSuffix = '$deadletterqueue';

export const pathOf = ({ queue, dead }: Entity): string =>
  dead ? `${queue.name}/${deadLetterSuffix}` : queue.name;
