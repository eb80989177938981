import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { Retryable, Terminal } from '../model/errors.ts';

/** Checks the token that a machine's metadata service gave it. */
export interface IdentityTokens {
  /**
   * @param authorization the request's header: `Bearer <token>`
   * @returns ARM id of the VM whose token it is
   * @throws Terminal `machine-token-invalid` (401); Retryable `token-authority-unreachable`
   */
  resourceOf(authorization: string | null): Promise<string>;
}

/** What machines ask their metadata service for. */
const AUDIENCE = 'https://management.azure.com/';

/** OpenID Connect Discovery 1.0, section 3. */
const Discovered = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Microsoft Entra writes the VM into one of these, according to the kind of its identity. */
const Claims = z.object({ xms_mirid: z.string().optional(), xms_az_rid: z.string().optional() });

/**
 * Tokens of an OpenID Connect authority, whose issuer and keys are read when first needed, and the keys again when a
 * token names an unknown one.
 */
export function identityTokens(authority: string): IdentityTokens {
  const address = `${authority.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let discovered: ReturnType<typeof discover> | undefined;
  const keysOf = () => {
    discovered ??= discover(address).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };

  return {
    async resourceOf(authorization) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) throw invalid('the request carries no bearer token');
      const { issuer, keys } = await keysOf();
      const { xms_mirid, xms_az_rid } = Claims.parse(await verified(token, issuer, keys, address));
      const resource = xms_mirid ?? xms_az_rid;
      if (resource === undefined) throw invalid('it names no resource in xms_mirid or xms_az_rid');
      // A user-assigned identity is itself the first; the VM then is the second.
      return isVirtualMachine(resource) ? resource : (xms_az_rid ?? resource);
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

async function verified(
  token: string,
  issuer: string,
  keys: ReturnType<typeof createRemoteJWKSet>,
  address: string,
): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: [AUDIENCE, AUDIENCE.slice(0, -1)],
      algorithms: ['RS256'],
      clockTolerance: 60,
    });
    return payload;
  } catch (error) {
    // Generic: the keys' address answered something else than keys.
    const code = error instanceof errors.JOSEError ? error.code : undefined;
    if (code === undefined || code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JOSE_GENERIC')
      throw unreachable(address, error);
    throw invalid(error instanceof Error ? error.message : code);
  }
}

const isVirtualMachine = (resource: string): boolean =>
  /\/providers\/Microsoft\.Compute\/virtualMachines\//i.test(resource);

const invalid = (why: string) =>
  new Terminal({
    code: 'machine-token-invalid',
    status: 401,
    message: `The machine's identity token is not valid: ${why}.`,
    remedy: `Ask the metadata service for a new token for ${AUDIENCE}.`,
  });

const unreachable = (address: string, cause: unknown) =>
  new Retryable({
    code: 'token-authority-unreachable',
    message: `The token authority does not answer at ${address}: ${cause instanceof Error ? cause.message : String(cause)}`,
    remedy: 'Check BERTH_TOKEN_AUTHORITY; the machine asks again.',
    cause,
  });
