import { z } from 'zod';
import type { Principal } from '../auth/credentials.ts';
import { mayOn, patternsFor } from '../auth/repository-access.ts';
import { RepositoryName } from '../model/image.ts';
import { matchesPattern, NamePattern } from '../model/pattern.ts';

/** A token's claim: https://distribution.github.io/distribution/spec/auth/jwt/ ("access"). */
export const Access = z.object({
  type: z.enum(['repository', 'registry']),
  name: z.string(),
  actions: z.array(z.enum(['pull', 'push', 'delete', '*'])),
  /** Of the catalog: it lists what these match; all if absent. */
  only: z.array(NamePattern).optional(),
});
export type Access = z.infer<typeof Access>;

/** What a route asks of the caller. */
export type Need =
  | { readonly kind: 'token' }
  | { readonly kind: 'catalog' }
  | {
      readonly kind: 'repository';
      readonly name: RepositoryName;
      readonly action: 'pull' | 'push' | 'delete';
    };

export function allows(access: readonly Access[], need: Need): boolean {
  switch (need.kind) {
    case 'token':
      return true;
    case 'catalog':
      return access.some(({ type, name, actions }) => {
        return type === 'registry' && name === 'catalog' && actions.includes('*');
      });
    case 'repository':
      return access.some(({ type, name, actions }) => {
        return type === 'repository' && name === need.name && actions.includes(need.action);
      });
  }
}

/** Scope that a client must ask for: https://distribution.github.io/distribution/spec/auth/scope/ */
export function scopeOf(need: Need): string | undefined {
  switch (need.kind) {
    case 'token':
      return undefined;
    case 'catalog':
      return 'registry:catalog:*';
    case 'repository':
      // Who pushes also asks what is there already.
      return `repository:${need.name}:${need.action === 'push' ? 'pull,push' : need.action}`;
  }
}

const ACTIONS = ['pull', 'push', 'delete'] as const;

/**
 * What of the requested scopes the caller gets: those that are not known or not his are left out, as clients expect.
 * @param principal undefined: nobody, who gets what is public
 * @param isPublic whether everybody may pull from a repository
 */
export async function grant(
  principal: Principal | undefined,
  scopes: readonly string[],
  isPublic: (repository: RepositoryName) => Promise<boolean>,
): Promise<readonly Access[]> {
  const granted = await Promise.all(
    scopes.map(async (scope) =>
      scope === 'registry:catalog:*' ? catalogOf(principal) : repositoryOf(principal, scope, isPublic),
    ),
  );
  return granted.filter((access) => access !== undefined);
}

async function repositoryOf(
  principal: Principal | undefined,
  scope: string,
  isPublic: (repository: RepositoryName) => Promise<boolean>,
): Promise<Access | undefined> {
  const match = /^repository:(?<name>[^:]+):(?<actions>[a-z,*]+)$/.exec(scope);
  const name = RepositoryName.safeParse(match?.groups?.name).data;
  if (name === undefined) return undefined;
  const asked = match?.groups?.actions?.split(',') ?? [];
  const wanted = ACTIONS.filter((action) => asked.includes(action) || asked.includes('*'));
  const actions = wanted.filter((action) => mayOn(principal, name, action));
  if (wanted.includes('pull') && !actions.includes('pull') && (await isPublic(name))) actions.unshift('pull');
  return actions.length === 0 ? undefined : { type: 'repository', name, actions };
}

/** Characters of patterns that a token can carry: it is a header of requests, and headers have 16 KiB. */
const MOST_PATTERNS = 6_000;

/**
 * The catalog lists what its caller may pull. It is not there for those who may pull nothing, and for those whose grants are
 * too long for a token.
 */
function catalogOf(principal: Principal | undefined): Access | undefined {
  const granted = principal === undefined ? [] : patternsFor(principal, 'pull');
  const only = granted && [...new Set(granted)];
  if (only?.length === 0 || (only?.join().length ?? 0) > MOST_PATTERNS) return undefined;
  return {
    type: 'registry',
    name: 'catalog',
    actions: ['*'],
    ...(only === undefined ? {} : { only }),
  };
}

/** Whether the catalog that a token gives lists this repository. */
export const isListed = (access: readonly Access[], repository: RepositoryName): boolean =>
  access.some(
    ({ type, name, only }) =>
      type === 'registry' &&
      name === 'catalog' &&
      (only === undefined || only.some((pattern) => matchesPattern(pattern, repository))),
  );
