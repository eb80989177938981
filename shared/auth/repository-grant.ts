import { z } from 'zod';
import { NamePattern } from '../model/pattern.ts';

/** What a caller may do with repositories: `admin` is all of them, and their policies. */
export const RepositoryAction = z.enum(['pull', 'push', 'delete', 'admin']);
export type RepositoryAction = z.infer<typeof RepositoryAction>;

/** What a caller may do with the repositories that a pattern matches. */
export const RepositoryGrant = z.strictObject({
  repositories: NamePattern,
  actions: z.array(RepositoryAction).min(1),
});
export type RepositoryGrant = z.infer<typeof RepositoryGrant>;

/** As people write it: `team/**=pull,push`. */
export const RepositoryGrantText = z
  .string()
  .regex(/^[^=]+=[^=]+$/, 'expected <pattern>=<actions>, for example team/**=pull,push')
  .transform((text) => {
    const [repositories = '', actions = ''] = text.split('=');
    return { repositories, actions: actions.split(',') };
  })
  .pipe(RepositoryGrant);

export const grantText = ({ repositories, actions }: RepositoryGrant): string =>
  `${repositories}=${actions.join(',')}`;
