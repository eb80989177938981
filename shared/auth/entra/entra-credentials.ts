import type { Credentials } from '../credentials.ts';
import { principalOf } from './assignment.ts';
import type { AssignmentStore } from './assignment-store.ts';
import type { EntraTokens } from './entra-tokens.ts';

/**
 * Access tokens of the tenant as secrets, under any user name: registries of Azure take 00000000-0000-0000-0000-000000000000.
 * Whose token is valid but has no assignment is known, and may do nothing.
 */
export const entraCredentials = (
  tokens: EntraTokens,
  assignments: Pick<AssignmentStore, 'recent'>,
): Credentials => ({
  async check(_user, secret) {
    const caller = await tokens.callerOf(secret);
    return caller && principalOf(caller, await assignments.recent());
  },
});
