import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import { ApplicationName, EnvironmentName, ServiceName } from '../../model/names.ts';
import { route } from '../route.ts';

export const EventView = z.object({
  /** sha-256 of source and id, its first 40 hex digits. */
  hash: z.string(),
  /** Whether the orchestrations that it asks for were started. */
  answered: z.boolean(),
  event: CloudEvent,
});
export type EventView = z.infer<typeof EventView>;

export const listEvents = route({
  name: 'list-events',
  method: 'GET',
  path: '/api/v1/events',
  permission: 'events.read',
  summary: 'Events of the last 30 days, the newest first.',
  query: z.strictObject({
    source: z.string().min(1).optional(),
    type: z.string().min(1).optional(),
    /** Only those that are about this application, this service or job of it, in this environment. */
    environment: EnvironmentName.optional(),
    application: ApplicationName.optional(),
    service: ServiceName.optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(50),
  }),
  answer: z.object({ events: z.array(EventView) }),
});

export const getEvent = route({
  name: 'get-event',
  method: 'GET',
  path: '/api/v1/events/{hash}',
  permission: 'events.read',
  summary: 'One event.',
  params: z.object({ hash: z.string().regex(/^[0-9a-f]{40}$/, 'expected 40 hex digits') }),
  query: z.strictObject({ source: z.string().min(1).optional() }),
  answer: EventView,
});
