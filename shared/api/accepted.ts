import { z } from 'zod';

/** A command was stored as an event; what it asks for happens from now on. */
export const Accepted = z.object({
  event: z.object({
    source: z.string(),
    /** The Idempotency-Key of the request, or one that was made for it. */
    id: z.string(),
    /** Names the event in /api/v1/events/{hash}. */
    hash: z.string(),
  }),
  /** `duplicate`: an event of this source and id had been stored before, and this request did nothing. */
  status: z.enum(['stored', 'duplicate']),
  /** Orchestrations that carry it out. */
  instances: z.array(z.string()),
  /** Path under which its effect can be watched. */
  location: z.string(),
});
export type Accepted = z.infer<typeof Accepted>;
