import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import { Sink, Subscription, SubscriptionName } from '../../model/subscription.ts';
import { route } from '../route.ts';

const all = '/api/v1/registry/subscriptions' as const;
const one = `${all}/{subscription}` as const;
const params = z.object({ subscription: SubscriptionName });
/** Whoever administers all repositories that a subscription is about may do this. */
const rights = { permission: 'images.admin', mindsGrants: true } as const;

export const SubscriptionSpec = Subscription.omit({ name: true, createdAt: true })
  .strict()
  .extend({
    actions: Subscription.shape.actions.default(['push', 'pull', 'delete', 'mount']),
    format: Subscription.shape.format.default('cloudevents'),
    sink: Sink,
  });

export const DeadEventView = z.object({
  id: z.string(),
  repository: z.string(),
  event: CloudEvent,
  attempts: z.number(),
  reason: z.string(),
  lastFailure: z.string(),
  /** When it was given up, RFC 3339. */
  at: z.string(),
});
export type DeadEventView = z.infer<typeof DeadEventView>;

export const listSubscriptions = route({
  name: 'list-subscriptions',
  method: 'GET',
  path: all,
  ...rights,
  summary: 'Who hears of what is done in repositories.',
  answer: z.object({ subscriptions: z.array(Subscription) }),
});

export const getSubscription = route({
  name: 'get-subscription',
  method: 'GET',
  path: one,
  ...rights,
  summary: 'A subscription, with what waits for it and what was given up.',
  params,
  answer: z.object({
    subscription: Subscription,
    /** Of each repository in whose queue something stands: the first event, and what its last attempt came to. */
    waiting: z.array(
      z.object({
        repository: z.string(),
        event: CloudEvent,
        failures: z.number(),
        lastFailure: z.string().optional(),
      }),
    ),
    deadLetters: z.number(),
  }),
});

export const putSubscription = route({
  name: 'put-subscription',
  method: 'PUT',
  path: one,
  ...rights,
  summary:
    'Makes or changes a subscription. A new webhook answers the secret that its deliveries are signed with, this once.',
  params,
  body: { schema: SubscriptionSpec },
  answer: z.object({ subscription: Subscription, secret: z.string().optional() }),
});

export const deleteSubscription = route({
  name: 'delete-subscription',
  method: 'DELETE',
  path: one,
  ...rights,
  summary: 'Removes a subscription, with what waits for it and what was given up.',
  params,
  status: 204,
  answer: z.null(),
});

export const replaceSubscriptionSecret = route({
  name: 'replace-subscription-secret',
  method: 'POST',
  path: `${one}/secret`,
  ...rights,
  summary:
    'Makes a new secret and answers it, this once; for 24 hours deliveries are signed with the old one too.',
  params,
  answer: z.object({ secret: z.string() }),
});

export const testSubscription = route({
  name: 'test-subscription',
  method: 'POST',
  path: `${one}/test`,
  ...rights,
  summary: 'Sends an event of type dev.berth.registry.ping now, past the queue, and says what it came to.',
  params,
  answer: z.object({ accepted: z.boolean(), answer: z.string() }),
});

export const listDeadEvents = route({
  name: 'list-dead-events',
  method: 'GET',
  path: `${one}/dead-letters`,
  ...rights,
  summary: 'Events that were given up, each with its reason and the last answer, the oldest first.',
  params,
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
  answer: z.object({ deadLetters: z.array(DeadEventView) }),
});

export const replayDeadEvents = route({
  name: 'replay-dead-events',
  method: 'POST',
  path: `${one}/replay`,
  ...rights,
  summary:
    'Puts events that were given up back into their queue, before all that came later, and delivers now what waits.',
  params,
  body: {
    schema: z.strictObject({
      ids: z.union([z.literal('all'), z.array(z.string().min(1).max(200)).max(1000)]),
    }),
  },
  answer: z.object({ replayed: z.number().int() }),
});
