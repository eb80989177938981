import type { RepositoryName } from '../model/image.ts';
import { matchesPattern, type NamePattern } from '../model/pattern.ts';
import { coversPattern } from '../model/pattern-cover.ts';
import type { Principal } from './credentials.ts';
import { allows, type Permission } from './permissions.ts';
import { RepositoryAction, type RepositoryGrant } from './repository-grant.ts';

/**
 * What a caller may do with repositories. Where a principal has grants they alone decide, whatever its roles; without grants
 * its roles decide, for all repositories alike.
 */
export const permissionOf = {
  pull: 'images.pull',
  push: 'images.push',
  delete: 'images.delete',
  admin: 'images.admin',
} as const satisfies Record<RepositoryAction, Permission>;

/** The action that a permission stands for; undefined if it is not about repositories. */
export const actionOf = (permission: Permission): RepositoryAction | undefined =>
  RepositoryAction.options.find((action) => permissionOf[action] === permission);

/** `admin` holds the other actions. */
const gives = ({ actions }: RepositoryGrant, action: RepositoryAction): boolean =>
  actions.includes(action) || actions.includes('admin');

/** Whether the caller may do this to the repository, which need not exist. */
export function mayOn(
  principal: Principal | undefined,
  repository: RepositoryName,
  action: RepositoryAction,
): boolean {
  if (principal === undefined) return false;
  if (principal.repositories === undefined) return allows(principal.roles, permissionOf[action]);
  return principal.repositories.some(
    (grant) => gives(grant, action) && matchesPattern(grant.repositories, repository),
  );
}

/** Whether the caller may do this to every repository that the pattern matches: for what is set by pattern. */
export function mayOnEvery(
  principal: Principal | undefined,
  pattern: NamePattern,
  action: RepositoryAction,
): boolean {
  if (principal === undefined) return false;
  if (principal.repositories === undefined) return allows(principal.roles, permissionOf[action]);
  return principal.repositories.some(
    (grant) => gives(grant, action) && coversPattern(grant.repositories, pattern),
  );
}

/** Patterns of the repositories to which the caller may do this; undefined: all of them. */
export function patternsFor(
  principal: Principal,
  action: RepositoryAction,
): readonly NamePattern[] | undefined {
  if (principal.repositories === undefined)
    return allows(principal.roles, permissionOf[action]) ? undefined : [];
  return principal.repositories.filter((grant) => gives(grant, action)).map((grant) => grant.repositories);
}

/** Whether the caller may use what asks for this permission: where grants decide, on at least one repository. */
export function may(principal: Principal | undefined, permission: Permission): boolean {
  const action = actionOf(permission);
  if (action !== undefined && principal?.repositories !== undefined)
    return principal.repositories.some((grant) => gives(grant, action));
  return allows(principal?.roles ?? [], permission);
}
