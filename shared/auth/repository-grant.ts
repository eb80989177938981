import { z } from 'zod';
import { NamePattern } from '../model/pattern.ts';

/** What a caller may do with repositories: `admin` is all of them, and their policies. */
export const RepositoryAction = z.enum(['pull', 'push', 'delete', 'admin']);
export type RepositoryAction = z.infer<typeof RepositoryAction>;

/** A role on the repositories that a pattern matches. */
export const RepositoryGrant = z.strictObject({
  repositories: NamePattern,
  actions: z.array(RepositoryAction).min(1),
});
export type RepositoryGrant = z.infer<typeof RepositoryGrant>;
