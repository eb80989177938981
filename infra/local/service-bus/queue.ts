import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([a-z0-9._-]{0,258}[a-z0-9])?$/);

const receiving = {
  maxDeliveryCount: z.number().int().min(1).max(2000),
  /** Azure allows up to 5 minutes. */
  lockSeconds: z.number().int().min(5).max(300),
  deadLetterOnExpiry: z.boolean().default(false),
  /** Messages belong to sessions, and each session to one receiver at a time. */
  requiresSession: z.boolean().default(false),
  /** The longest that a message lives; without it, as long as its sender says. */
  timeToLiveSeconds: z.number().int().min(1).optional(),
};
/** 0: no duplicate detection. */
const duplicateWindowSeconds = z
  .number()
  .int()
  .min(0)
  .max(7 * 24 * 3600);

/** Settings of a queue, as ARM's `Microsoft.ServiceBus/namespaces/queues` has them. */
export const QueueSettings = z.object({ name, ...receiving, duplicateWindowSeconds });
/** Of a subscription too; its name is then `topic/subscriptions/name`. */
export type QueueSettings = z.infer<typeof QueueSettings>;

/** Settings of a topic and its subscriptions, as ARM's `Microsoft.ServiceBus/namespaces/topics` has them. */
export const TopicSettings = z
  .object({
    name,
    duplicateWindowSeconds,
    timeToLiveSeconds: receiving.timeToLiveSeconds,
    subscriptions: z.array(z.object({ name: name.max(50), ...receiving })),
  })
  .transform((topic) => ({
    ...topic,
    subscriptions: topic.subscriptions.map(
      (subscription): QueueSettings => ({
        ...subscription,
        name: `${topic.name}/subscriptions/${subscription.name}`,
        // The topic has dropped duplicates already.
        duplicateWindowSeconds: 0,
      }),
    ),
  }));
export type TopicSettings = z.infer<typeof TopicSettings>;

/** What messages are sent to. */
export type Inbox = Pick<QueueSettings, 'name' | 'duplicateWindowSeconds' | 'timeToLiveSeconds'>;

/** A queue or subscription, or the dead-letter queue under it. */
export interface Entity {
  readonly queue: QueueSettings;
  readonly dead: boolean;
}

export const deadLetterSuffix = '$deadletterqueue';

export const pathOf = ({ queue, dead }: Entity): string =>
  dead ? `${queue.name}/${deadLetterSuffix}` : queue.name;

/** Whether receivers need a session here: dead letters have none. */
export const sessionful = ({ queue, dead }: Entity): boolean => queue.requiresSession && !dead;
