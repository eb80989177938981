import { z } from 'zod';
import { route } from '../route.ts';

export const DeadLetterView = z.object({
  queue: z.enum(['service-bus', 'storage']),
  id: z.string(),
  /** What its sender called it. */
  messageId: z.string(),
  /** RFC 3339. */
  enqueuedAt: z.string(),
  deliveries: z.number().int(),
  reason: z.string(),
  description: z.string(),
  /** The message as it was sent. */
  body: z.string(),
});
export type DeadLetterView = z.infer<typeof DeadLetterView>;

export const listDeadLetters = route({
  name: 'list-dead-letters',
  method: 'GET',
  path: '/api/v1/deadletters',
  permission: 'deadletters.read',
  summary: 'Messages of the command queues that could not be carried out, each with its reason.',
  answer: z.object({ deadLetters: z.array(DeadLetterView) }),
});

export const replayDeadLetters = route({
  name: 'replay-dead-letters',
  method: 'POST',
  path: '/api/v1/deadletters/replay',
  permission: 'deadletters.replay',
  summary: 'Sends some of them, or all, to their queue again, and takes them away.',
  body: {
    schema: z.strictObject({
      ids: z.union([z.literal('all'), z.array(z.string().min(1).max(200)).min(1).max(1000)]),
    }),
  },
  answer: z.object({ replayed: z.number().int() }),
});
