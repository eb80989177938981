import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  errors as joseErrors,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import type { RepositoryName } from '../model/image.ts';
import { Access } from './access.ts';

/** Name of this registry in challenges and tokens. */
export const SERVICE = 'berth';
const ALGORITHM = 'ES256';
type Key = Awaited<ReturnType<typeof importJWK>>;

/** Where the signing keys are: the first signs, all verify, so that a key may be replaced while tokens of it live. */
export interface TokenKeys {
  /** Private keys, ES256, as JWK. */
  keys(): Promise<readonly [JWK, ...JWK[]]>;
}

/** A new signing key, for whoever keeps it. */
export async function makeTokenKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return exportJWK(privateKey);
}

/** One private JWK, as it is sealed. */
export const TokenKey = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
export type TokenKey = z.infer<typeof TokenKey>;

export interface RegistryTokens {
  /** @param seconds the token lives */
  issue(subject: string, access: readonly Access[], seconds: number): Promise<string>;
  /** A token that pulls from one repository and nothing else: for a machine's pull. */
  issuePullToken(repository: RepositoryName, seconds: number): Promise<string>;
  /** @returns undefined if the token is not ours, was changed, or has expired */
  verify(token: string): Promise<{ readonly id: string; readonly access: readonly Access[] } | undefined>;
}

const Claims = z.object({ sub: z.string(), access: z.array(Access) });

/** Tokens of this registry: JWT, audience and issuer `berth`, claim `access` as registries have it. */
export function registryTokens(tokenKeys: TokenKeys, now: () => Date): RegistryTokens {
  const imported = new Map<string, Promise<Key>>();
  const importOnce = (id: string, jwk: JWK): Promise<Key> => {
    const key = imported.get(id) ?? importJWK(jwk, ALGORITHM);
    imported.set(id, key);
    return key;
  };
  /** The kid is the key's thumbprint: nobody has to remember names for keys. RFC 7638. */
  const verificationKey = async (kid: string | undefined): Promise<Key | undefined> => {
    for (const { d: _private, ...jwk } of await tokenKeys.keys())
      if ((await calculateJwkThumbprint(jwk)) === kid) return importOnce(`verify ${kid}`, jwk);
    return undefined;
  };

  const tokens: RegistryTokens = {
    async issue(subject, access, seconds) {
      const [jwk] = await tokenKeys.keys();
      const kid = await calculateJwkThumbprint(jwk);
      const issuedAt = Math.floor(now().getTime() / 1000);
      return new SignJWT({ access })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
        .setIssuer(SERVICE)
        .setAudience(SERVICE)
        .setSubject(subject)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + seconds)
        .sign(await importOnce(`sign ${kid}`, jwk));
    },
    issuePullToken: (repository, seconds) =>
      tokens.issue('machine', [{ type: 'repository', name: repository, actions: ['pull'] }], seconds),
    async verify(token) {
      try {
        const { payload } = await jwtVerify(
          token,
          async ({ kid }) => {
            const key = await verificationKey(kid);
            if (key === undefined) throw new joseErrors.JWKSNoMatchingKey();
            return key;
          },
          {
            algorithms: [ALGORITHM],
            issuer: SERVICE,
            audience: SERVICE,
            requiredClaims: ['exp', 'sub'],
            currentDate: now(),
          },
        );
        const claims = Claims.safeParse(payload).data;
        return claims && { id: claims.sub, access: claims.access };
      } catch (error) {
        if (error instanceof joseErrors.JOSEError) return undefined;
        throw error;
      }
    },
  };
  return tokens;
}
