import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SigningKey } from './signing-key.ts';

/** Who a token is for: a managed identity, as its claims name it. */
export interface Principal {
  /** principal id of the identity: `oid` and `sub`. */
  readonly principalId: string;
  readonly clientId: string;
  /** ARM id of the identity, or of the VM whose system-assigned identity it is: `xms_mirid`. */
  readonly identityId: string;
  /** ARM id of the resource that the token was given to: `xms_az_rid`. */
  readonly resourceId: string;
}

export interface IssuedToken {
  readonly token: string;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly expiresOn: number;
}

export type Issue = (principal: Principal, resource: string) => Promise<IssuedToken>;

/** Azure's tokens for managed identities hold for 24 hours. */
const LIFETIME_SECONDS = 24 * 3600;

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export function tokenIssuer(key: SigningKey, issuer: string, tenant: string): Issue {
  return async (principal, resource) => {
    // Five minutes back, as Entra ID does: a machine's clock may lag.
    const notBefore = Math.floor(Date.now() / 1000) - 300;
    const expiresOn = notBefore + 300 + LIFETIME_SECONDS;
    const token = await new SignJWT({
      aud: resource,
      iss: issuer,
      iat: notBefore,
      nbf: notBefore,
      exp: expiresOn,
      appid: principal.clientId,
      appidacr: '2',
      idp: issuer,
      idtyp: 'app',
      oid: principal.principalId,
      sub: principal.principalId,
      tid: tenant,
      uti: randomBytes(16).toString('base64url'),
      ver: '1.0',
      xms_az_rid: principal.resourceId,
      xms_mirid: principal.identityId,
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.id, x5t: key.id })
      .sign(key.privateKey);
    return { token, notBefore, expiresOn };
  };
}

/** A resource is named by an absolute URI or by an application's id; others get AADSTS500011 on Azure. */
export const isResource = (resource: string): boolean =>
  /^(https|api):\/\/[^\s/]+/.test(resource) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(resource);
