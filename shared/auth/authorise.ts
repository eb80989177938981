import { Terminal } from '../model/errors.ts';
import type { RepositoryName } from '../model/image.ts';
import type { NamePattern } from '../model/pattern.ts';
import type { Principal } from './credentials.ts';
import { type Permission, roleFor } from './permissions.ts';
import { may, mayOn, mayOnEvery, permissionOf } from './repository-access.ts';
import { grantText, type RepositoryAction } from './repository-grant.ts';

/**
 * The one check that every route goes through.
 * @throws Terminal 401 `unauthenticated`, 403 `forbidden`
 */
export function authorise(principal: Principal | undefined, permission: Permission): void {
  if (may(principal, permission)) return;
  if (principal === undefined)
    throw new Terminal({
      code: 'unauthenticated',
      status: 401,
      message: 'The request carries no API key, and no access token of the tenant, that is valid.',
      remedy:
        'Send the header "Authorization: Bearer berth_…"; the command line reads BERTH_KEY or .berth/client.json.',
    });
  throw new Terminal({
    code: 'forbidden',
    status: 403,
    message: `${principal.id} has the roles ${principal.roles.join(', ') || 'none'}${grantsOf(principal)}; ${permission} asks for ${roleFor(permission)}.`,
    remedy: remedyFor(principal, permission),
  });
}

/**
 * The further check of what concerns one repository. It says the same whether the repository exists or not: make it first.
 * @throws Terminal 403 `forbidden`
 */
export function authoriseOn(
  principal: Principal | undefined,
  repository: RepositoryName,
  action: RepositoryAction,
): void {
  if (!mayOn(principal, repository, action)) throw notOn(principal, repository, action);
}

/** The further check of what is set for a pattern of repositories. @throws Terminal 403 `forbidden` */
export function authoriseOnEvery(
  principal: Principal | undefined,
  pattern: NamePattern,
  action: RepositoryAction,
): void {
  if (!mayOnEvery(principal, pattern, action)) throw notOn(principal, pattern, action);
}

const notOn = (principal: Principal | undefined, where: string, action: RepositoryAction): Terminal =>
  new Terminal({
    code: 'forbidden',
    status: 403,
    message: `${principal?.id ?? 'anonymous'} may not ${action} ${where}.`,
    remedy: `Use a key whose grants give ${action} there, or one without grants and with the role ${roleFor(permissionOf[action])}.`,
  });

/** Users and applications of the tenant are known by their object id. */
const isOfTenant = ({ id }: Principal): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);

const remedyFor = (principal: Principal, permission: Permission): string =>
  isOfTenant(principal)
    ? `An admin gives it the role: berth access set principal:${principal.id.toLowerCase()} ${roleFor(permission)}`
    : `Use a key with the role ${roleFor(permission)}.`;

const grantsOf = ({ repositories }: Principal): string =>
  repositories === undefined ? '' : `, in the registry ${repositories.map(grantText).join(' ') || 'nothing'}`;
