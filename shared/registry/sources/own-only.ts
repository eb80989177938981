import type { Handler } from '../call.ts';
import { RegistryError } from '../errors.ts';

/** A handler that writes: not into copies of other registries, which hold what those hold. */
export const ownOnly =
  (handler: Handler): Handler =>
  async (deps, call) => {
    const source = await deps.mirror?.sourceOf(call.repository);
    if (source !== undefined)
      throw new RegistryError(
        'DENIED',
        `${call.repository} is a copy that the source ${source.name} fetches from ${source.upstream.url}: push to a repository that is not below ${source.prefix}/`,
      );
    return handler(deps, call);
  };
