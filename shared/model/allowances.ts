import { z } from 'zod';
import { Capability } from './capability.ts';

/** A folder of machines that containers may see, with everything below it. */
export const AllowedPath = z.strictObject({
  path: z
    .string()
    .regex(/^(\/[^/\0:]+)*\/?$/, 'expected a path such as /srv/data')
    .refine(
      (path) => path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '.'),
      {
        message: 'expected an absolute path without . and ..',
      },
    ),
  /** Otherwise it may be read alone. */
  writable: z.boolean().default(false),
});

/** What containers of an environment may beyond their own: nothing of it unless an administrator says so. */
export const Allowances = z.strictObject({
  privileged: z.boolean().default(false),
  capabilities: z.array(Capability).max(50).default([]),
  hostPaths: z.array(AllowedPath).max(50).default([]),
});
export type Allowances = z.infer<typeof Allowances>;

export const NOTHING_ALLOWED: Allowances = Allowances.parse({});
