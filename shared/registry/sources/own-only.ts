import type { RepositoryName } from '../../model/image.ts';
import type { Handler } from '../call.ts';
import { RegistryError } from '../errors.ts';
import type { Mirror } from './mirror.ts';

/** @throws RegistryError DENIED if the repository is a copy of another registry's, which holds what that holds */
export async function refuseCopy(
  mirror: Pick<Mirror, 'sourceOf'> | undefined,
  repository: RepositoryName,
): Promise<void> {
  const source = await mirror?.sourceOf(repository);
  if (source !== undefined)
    throw new RegistryError(
      'DENIED',
      `${repository} is a copy that the source ${source.name} fetches from ${source.upstream.url}: push to a repository that is not below ${source.prefix}/`,
      { detail: { source: source.name } },
    );
}

/** A handler that writes: not into copies. */
export const ownOnly =
  (handler: Handler): Handler =>
  async (deps, call) => {
    await refuseCopy(deps.mirror, call.repository);
    return handler(deps, call);
  };
