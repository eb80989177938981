import type { Role } from './permissions.ts';
import type { RepositoryGrant } from './repository-grant.ts';

/** Who is calling, after the credential was checked. */
export interface Principal {
  /** Key id or user's object id; stands in logs and events, never secret. */
  readonly id: string;
  readonly roles: readonly Role[];
  /** What the caller may do in the registry, in place of what the roles give there; absent: what the roles give. */
  readonly repositories?: readonly RepositoryGrant[] | undefined;
}

/** Names and secrets that callers present: Berth API keys, stored hashed in table `apikeys`. */
export interface Credentials {
  /**
   * @param user what stands before the colon of Basic credentials: for an API key its id or any text
   * @param secret the API key
   * @returns undefined if the secret is no valid key
   */
  check(user: string, secret: string): Promise<Principal | undefined>;
}
