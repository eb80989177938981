import { decodeJwt, errors } from 'jose';
import { z } from 'zod';
import { TokenInvalid, tokenAuthority } from '../token-authority.ts';

/** Whose token it is: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export interface EntraCaller {
  /** Of the user, the service principal or the managed identity: `oid`. */
  readonly objectId: string;
  /** Object ids. */
  readonly groups: readonly string[];
  /** App roles, by their value: `roles`. */
  readonly appRoles: readonly string[];
}

export interface EntraTokens {
  /** @returns undefined if it is no valid token of the tenant for this app @throws Retryable `token-authority-unreachable` */
  callerOf(token: string): Promise<EntraCaller | undefined>;
}

const Claims = z
  .object({
    oid: z.uuid(),
    groups: z.array(z.string()).default([]),
    roles: z.array(z.string()).default([]),
    /** The application that asked for the token (version 1.0, 2.0). Tokens of sign-in have neither: they are for the application itself. */
    appid: z.string().optional(),
    azp: z.string().optional(),
  })
  .refine(({ appid, azp }) => appid !== undefined || azp !== undefined);

/** Three parts of base64url. */
const isJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/**
 * @param authority for example `https://login.microsoftonline.com/<tenant>`: it has one issuer for tokens of version 1.0, and
 * under `v2.0` one for those of 2.0; which of them an application gets is a setting of its registration
 * @param audiences what tokens for this app name; none: no token is taken
 */
export function entraTokens(authority: string, audiences: readonly string[]): EntraTokens {
  const base = authority.replace(/\/$/, '').replace(/\/v2\.0$/, '');
  const [first, second] = [tokenAuthority(base), tokenAuthority(`${base}/v2.0`)];
  return {
    async callerOf(token) {
      if (audiences.length === 0 || !isJwt(token)) return undefined;
      try {
        const issuing = decodeJwt(token)['ver'] === '2.0' ? second : first;
        const claims = Claims.safeParse(await issuing.verify(token, audiences)).data;
        return claims && { objectId: claims.oid, groups: claims.groups, appRoles: claims.roles };
      } catch (error) {
        if (error instanceof TokenInvalid || error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}
