import { importJWK, type JWK, type JWK_EC_Public, errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { RepositoryName } from '../model/image.ts';
import { Access } from './access.ts';
import { rememberedTokens } from './remembered-tokens.ts';
import { LONGEST_LIFE } from './token-keys/keyring.ts';
import { ALGORITHM, type TokenKeys, kidOf as thumbprintOf } from './token-keys/token-key.ts';

/** Name of this registry in challenges and tokens. */
export const SERVICE = 'berth';
type Key = Awaited<ReturnType<typeof importJWK>>;

export interface RegistryTokens {
  /** @param seconds the token lives, an hour at most */
  issue(subject: string, access: readonly Access[], seconds: number): Promise<string>;
  /** A token that pulls from one repository and nothing else: for a machine's pull. */
  issuePullToken(repository: RepositoryName, seconds: number): Promise<string>;
  /** @returns undefined if the token is not ours, was changed, or has expired */
  verify(token: string): Promise<{ readonly id: string; readonly access: readonly Access[] } | undefined>;
  /** The public keys that verify tokens, RFC 7517. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
}

const Claims = z.object({ sub: z.string(), access: z.array(Access), exp: z.number() });

/** Tokens of this registry: JWT, audience and issuer `berth`, claim `access` as registries have it. */
export function registryTokens(tokenKeys: TokenKeys, now: () => Date): RegistryTokens {
  const imported = new Map<string, Promise<Key>>();
  const importOnce = (id: string, jwk: JWK): Promise<Key> => {
    const key = imported.get(id) ?? importJWK(jwk, ALGORITHM);
    imported.set(id, key);
    return key;
  };
  const remembered = rememberedTokens();
  const kids = new WeakMap<JWK, Promise<string>>();
  const kidOf = (jwk: JWK): Promise<string> => {
    const kid = kids.get(jwk) ?? thumbprintOf(jwk);
    kids.set(jwk, kid);
    return kid;
  };
  const find = async (kid: string, keys: readonly JWK[]): Promise<Key | undefined> => {
    for (const jwk of keys)
      if ((await kidOf(jwk)) === kid) {
        const { d: _private, ...open } = jwk;
        return importOnce(`verify ${kid}`, open);
      }
    return undefined;
  };
  const verificationKey = async (kid: string): Promise<Key | undefined> =>
    (await find(kid, await tokenKeys.keys())) ?? find(kid, await tokenKeys.keys(kid));

  const tokens: RegistryTokens = {
    async issue(subject, access, seconds) {
      if (seconds > LONGEST_LIFE) throw new RangeError(`a token lives ${LONGEST_LIFE} s at most`);
      const [jwk] = await tokenKeys.keys();
      const kid = await kidOf(jwk);
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
      const known = remembered.get(token);
      if (known !== undefined && (await find(known.kid, await tokenKeys.keys())) !== undefined)
        return known.expiresAt > now().getTime() / 1000 ? { id: known.id, access: known.access } : undefined;
      try {
        const { payload, protectedHeader } = await jwtVerify(
          token,
          async ({ kid }) => {
            const key = kid === undefined ? undefined : await verificationKey(kid);
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
        if (claims === undefined) return undefined;
        const { sub: id, access, exp: expiresAt } = claims;
        remembered.add(token, { id, access, kid: protectedHeader.kid ?? '', expiresAt });
        return { id, access };
      } catch (error) {
        if (error instanceof joseErrors.JOSEError) return undefined;
        throw error;
      }
    },
    async jwks() {
      const keys = (await tokenKeys.keys()).map(async (jwk): Promise<JWK> => {
        const { crv, x, y } = jwk as JWK_EC_Public;
        return { kty: 'EC', crv, x, y, kid: await kidOf(jwk), use: 'sig', alg: ALGORITHM };
      });
      return { keys: await Promise.all(keys) };
    },
  };
  return tokens;
}
