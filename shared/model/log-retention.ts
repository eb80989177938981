import { z } from 'zod';

/** Days that logs of an environment are kept. */
export const LogRetention = z.strictObject({ days: z.number().int().min(1).max(730) });
export type LogRetention = z.infer<typeof LogRetention>;
