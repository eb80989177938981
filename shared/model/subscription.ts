import { z } from 'zod';
import type { Brand } from './brand.ts';
import { NamePattern } from './pattern.ts';

/** What can be done in a repository that others may want to hear of. */
export const Action = z.enum(['push', 'pull', 'delete', 'mount']);
export type Action = z.infer<typeof Action>;

export type SubscriptionName = Brand<string, 'SubscriptionName'>;
export const SubscriptionName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected 1 to 40 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
  )
  .transform((name) => name as SubscriptionName);

/** Where events go. */
export const Sink = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('webhook'),
    /** `https`; `http` only with `allowHttp`. Deliveries are signed, no redirect is followed. */
    url: z.url({ protocol: /^https?$/, error: 'expected an https address' }),
    allowHttp: z.boolean().default(false),
    /** Private and loopback addresses too; without it an address must be public. */
    allowPrivate: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('service-bus'),
    /** In the app's namespace; the session is the repository. */
    topic: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,258}[A-Za-z0-9_])?$/, 'expected the name of a topic'),
  }),
]);
export type Sink = z.infer<typeof Sink>;

/** Another registry, which is kept alike; made by a replication. */
export const ReplicationSink = z.strictObject({
  kind: z.literal('replication'),
  registry: z.strictObject({ url: z.string(), plainHttp: z.boolean(), authority: z.string().optional() }),
  /** What the repositories lie below there. */
  path: z.string().optional(),
  /** What is deleted here is deleted there. */
  deletes: z.boolean(),
});
export type ReplicationSink = z.infer<typeof ReplicationSink>;

/** Every kind of place that events go to. */
const Destination = z.discriminatedUnion('kind', [...Sink.options, ReplicationSink]);
export type Destination = z.infer<typeof Destination>;

/** Who wants to hear of what, and how. */
export const Subscription = z.object({
  name: SubscriptionName,
  repositories: z.array(NamePattern).min(1).max(50),
  actions: z.array(Action).min(1),
  /** CloudEvents 1.0 in structured mode, one a delivery; or distribution's envelope of one event. */
  format: z.enum(['cloudevents', 'distribution']),
  sink: Destination,
  createdAt: z.iso.datetime(),
});
export type Subscription = z.infer<typeof Subscription>;
