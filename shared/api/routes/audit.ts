import { z } from 'zod';
import { CloudEvent } from '../../model/cloud-event.ts';
import { RepositoryName } from '../../model/image.ts';
import { Action } from '../../model/subscription.ts';
import { route } from '../route.ts';

export const readAudit = route({
  name: 'read-audit',
  method: 'GET',
  path: '/api/v1/registry/audit',
  permission: 'images.admin',
  mindsGrants: true,
  summary: 'Who pushed, pulled, deleted and mounted what, of the last 90 days, the newest first.',
  query: z.strictObject({
    /** All repositories that the caller administers if absent. */
    repository: RepositoryName.optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    action: Action.optional(),
    /** Id of a key or a user, or `anonymous`. */
    actor: z.string().min(1).optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
    after: z
      .string()
      .regex(/^a![0-9]{16}![0-9a-f]{8}$/, 'expected what "next" of the page before says')
      .optional(),
  }),
  answer: z.object({
    events: z.array(CloudEvent),
    /** There may be more: ask for what comes `after` this. A page may be short, or empty, and have a next one. */
    next: z.string().optional(),
  }),
});
