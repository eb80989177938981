import { InvalidArgumentError } from 'commander';
import { type RepositoryGrant, RepositoryGrantText } from '../shared/auth/repository-grant.ts';

/** Parser of an option that may be repeated: `team/**=pull,push`. @throws InvalidArgumentError */
export function grants(text: string, before: readonly RepositoryGrant[] = []): readonly RepositoryGrant[] {
  const parsed = RepositoryGrantText.safeParse(text);
  if (!parsed.success)
    throw new InvalidArgumentError(
      parsed.error.issues
        .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
        .join('; '),
    );
  return [...before, parsed.data];
}
