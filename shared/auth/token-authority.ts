import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { Retryable } from '../model/errors.ts';

/** Checks the tokens of an OpenID Connect authority. */
export interface TokenAuthority {
  /**
   * @param audiences one of which the token must name
   * @returns the claims of a token whose signature, issuer, audience and times are right
   * @throws TokenInvalid; Retryable `token-authority-unreachable`
   */
  verify(token: string, audiences: readonly string[]): Promise<unknown>;
}

/** What is wrong with a token, in words. */
export class TokenInvalid extends Error {
  override readonly name = 'TokenInvalid';
}

/** OpenID Connect Discovery 1.0, section 3. */
const Discovered = z.object({ issuer: z.string(), jwks_uri: z.url() });
/** Clocks of others may differ by so many seconds. */
const TOLERANCE = 60;

/**
 * The authority's issuer and keys are read when first needed, and the keys again when a token names an unknown one.
 * @param base `/.well-known/openid-configuration` is under it
 */
export function tokenAuthority(base: string): TokenAuthority {
  const address = `${base.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let discovered: ReturnType<typeof discover> | undefined;
  const discoveredOnce = () => {
    discovered ??= discover(address).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };
  return {
    async verify(token, audiences) {
      const { issuer, keys } = await discoveredOnce();
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience: [...audiences],
          algorithms: ['RS256'],
          requiredClaims: ['exp'],
          clockTolerance: TOLERANCE,
        });
        return payload;
      } catch (error) {
        // Generic: the keys' address answered something else than keys.
        const code = error instanceof errors.JOSEError ? error.code : undefined;
        if (code === undefined || code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JOSE_GENERIC')
          throw unreachable(address, error);
        throw new TokenInvalid(error instanceof Error ? error.message : code, { cause: error });
      }
    },
  };
}

async function discover(address: string) {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const { issuer, jwks_uri } = Discovered.parse(await response.json());
    return { issuer, keys: createRemoteJWKSet(new URL(jwks_uri)) };
  } catch (cause) {
    throw unreachable(address, cause);
  }
}

const unreachable = (address: string, cause: unknown) =>
  new Retryable({
    code: 'token-authority-unreachable',
    message: `The token authority does not answer at ${address}: ${cause instanceof Error ? cause.message : String(cause)}`,
    remedy: 'Try again; if it stays so, check BERTH_TOKEN_AUTHORITY.',
    cause,
  });
