import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { SigningKey } from './signing-key.ts';

const Claims = z.looseObject({
  aud: z.string(),
  exp: z.number(),
  appid: z.string(),
  oid: z.string(),
  tid: z.string(),
  xms_mirid: z.string(),
  xms_az_rid: z.string(),
});
export type Claims = z.infer<typeof Claims>;

/**
 * Checks signature, issuer, times and audience of a token, as Azure's services do.
 * @param audience one of these; a `/` at the end makes no difference
 * @returns its claims; `exp` is in seconds since 1970
 * @throws Error that says what is wrong with the token
 */
export type Verifier = (token: string, audience: string | readonly string[]) => Promise<Claims>;

export function tokenVerifier(key: SigningKey, issuer: string): Verifier {
  return async (token, audience) => {
    const wanted = (typeof audience === 'string' ? [audience] : audience).map(bare);
    const { payload } = await jwtVerify(token, key.publicKey, { issuer, algorithms: ['RS256'] });
    const claims = Claims.parse(payload);
    if (!wanted.includes(bare(claims.aud)))
      throw new Error(`the token's audience is ${claims.aud}, expected ${wanted.join(' or ')}`);
    return claims;
  };
}

const bare = (audience: string): string => audience.replace(/\/+$/, '').toLowerCase();
