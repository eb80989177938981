import { z } from 'zod';
import { Role } from './permissions.ts';
import { RepositoryGrant } from './repository-grant.ts';

/** What a key or an assignment gives: a role, grants of repositories in place of what the role gives there, or both. */
export const rights = {
  role: Role.optional(),
  repositories: z.array(RepositoryGrant).min(1).max(100).optional(),
};

/** For schemas that have `rights`. */
export function checkRights(
  { role, repositories }: z.infer<z.ZodObject<typeof rights>>,
  context: z.core.$RefinementCtx,
): void {
  const fault = (message: string) => context.addIssue({ code: 'custom', message, path: [] });
  if (role === undefined && repositories === undefined)
    fault('expected a role, grants of repositories, or both');
  if (role === 'admin' && repositories !== undefined)
    fault('an admin makes keys, so grants would not limit it: expected another role, or none');
}
