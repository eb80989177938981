import { Terminal } from '../model/errors.ts';
import { RepositoryName } from '../model/image.ts';
import { authoriseOn } from './authorise.ts';
import type { Principal } from './credentials.ts';
import type { Permission } from './permissions.ts';
import { actionOf } from './repository-access.ts';

/**
 * Checks the grants of a caller that has some, for a route about repositories, on whatever `repository` the request names. A
 * request that names none is refused, unless the route says that it minds grants itself: a new route is closed until then.
 * @param parts of the request, parsed: path, query, body
 * @throws Terminal 403 `forbidden`
 */
export function authoriseNamed(
  principal: Principal | undefined,
  route: { readonly permission: Permission; readonly mindsGrants?: boolean | undefined },
  parts: readonly unknown[],
): void {
  const action = actionOf(route.permission);
  if (action === undefined || principal?.repositories === undefined) return;
  const named = parts.flatMap((part) =>
    typeof part === 'object' && part !== null && 'repository' in part && part.repository !== undefined
      ? [RepositoryName.parse(part.repository)]
      : [],
  );
  for (const repository of named) authoriseOn(principal, repository, action);
  if (named.length === 0 && route.mindsGrants !== true)
    throw new Terminal({
      code: 'forbidden',
      status: 403,
      message: `${principal.id} has grants of single repositories; this concerns all of them.`,
      remedy: 'Use a key without grants.',
    });
}
