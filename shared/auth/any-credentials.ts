import type { Credentials } from './credentials.ts';

/** Takes what the first of these takes. */
export const anyCredentials = (all: readonly Credentials[]): Credentials => ({
  async check(user, secret) {
    for (const credentials of all) {
      const principal = await credentials.check(user, secret);
      if (principal !== undefined) return principal;
    }
    return undefined;
  },
});
