import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';

export const ALGORITHM = 'ES256';

/** One private key as JWK, as it is sealed. */
export const TokenKey = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
export type TokenKey = z.infer<typeof TokenKey>;

/** A new signing key, for whoever keeps it. */
export async function makeTokenKey(): Promise<TokenKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return TokenKey.parse(await exportJWK(privateKey));
}

/** What tokens name a key by: its thumbprint, so that nobody has to remember names. RFC 7638. */
export const kidOf = (jwk: JWK): Promise<string> => calculateJwkThumbprint(jwk);

/** Where the signing keys are. */
export interface TokenKeys {
  /**
   * Private keys, ES256, as JWK: the first signs, all verify.
   * @param missing a key that the former answer did not have: whoever keeps keys elsewhere looks there again
   */
  keys(missing?: string): Promise<readonly [JWK, ...JWK[]]>;
}
