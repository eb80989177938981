import { Terminal } from '../model/errors.ts';
import type { Principal } from './credentials.ts';
import { allows, type Permission, roleFor } from './permissions.ts';

/**
 * The one check that every route goes through.
 * @throws Terminal 401 `unauthenticated`, 403 `forbidden`
 */
export function authorise(principal: Principal | undefined, permission: Permission): void {
  if (allows(principal?.roles ?? [], permission)) return;
  if (principal === undefined)
    throw new Terminal({
      code: 'unauthenticated',
      status: 401,
      message: 'The request carries no API key that is valid.',
      remedy:
        'Send the header "Authorization: Bearer berth_…"; the command line reads BERTH_KEY or .berth/client.json.',
    });
  throw new Terminal({
    code: 'forbidden',
    status: 403,
    message: `The key ${principal.id} has the roles ${principal.roles.join(', ') || 'none'}; ${permission} asks for ${roleFor(permission)}.`,
    remedy: `Use a key with the role ${roleFor(permission)}.`,
  });
}
