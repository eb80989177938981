import { z } from 'zod';
import { TokenInvalid, tokenAuthority } from '../auth/token-authority.ts';
import { Terminal } from '../model/errors.ts';

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

/** Microsoft Entra writes the VM into one of these, according to the kind of its identity. */
const Claims = z.object({ xms_mirid: z.string().optional(), xms_az_rid: z.string().optional() });

export function identityTokens(address: string): IdentityTokens {
  const authority = tokenAuthority(address);
  return {
    async resourceOf(authorization) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) throw invalid('the request carries no bearer token');
      const claims = await authority
        .verify(token, [AUDIENCE, AUDIENCE.slice(0, -1)])
        .catch((error: unknown) => {
          throw error instanceof TokenInvalid ? invalid(error.message) : error;
        });
      const { xms_mirid, xms_az_rid } = Claims.parse(claims);
      const resource = xms_mirid ?? xms_az_rid;
      if (resource === undefined) throw invalid('it names no resource in xms_mirid or xms_az_rid');
      // A user-assigned identity is itself the first; the VM then is the second.
      return isVirtualMachine(resource) ? resource : (xms_az_rid ?? resource);
    },
  };
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
