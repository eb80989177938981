import type { RequestListener } from 'node:http';
import { sendJson } from './send-json.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * The OpenID authority of one tenant: its configuration and the keys that verify its tokens.
 * https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
 * @param base of the tenant, for example `https://10.20.0.1:8443/<tenant>`
 */
export function authority(base: string, tenant: string, issuer: string, key: SigningKey): RequestListener {
  const keys = `${base}/discovery/v2.0/keys`;
  const answers: Record<string, unknown> = {
    '.well-known/openid-configuration': {
      issuer,
      jwks_uri: keys,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      claims_supported: ['aud', 'iss', 'iat', 'nbf', 'exp', 'oid', 'sub', 'tid', 'ver'],
    },
    'discovery/v2.0/keys': { keys: [{ ...key.published, x5t: key.id, issuer }] },
  };
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', base);
    const [, named = '', ...rest] = pathname.split('/');
    // Entra ID offers both documents with and without `v2.0`.
    const path = rest
      .join('/')
      .replace(/^v2\.0\//, '')
      .replace(/^discovery\/keys$/, 'discovery/v2.0/keys');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      sendJson(
        response,
        405,
        refusal('invalid_request', 'AADSTS900561: The endpoint only accepts GET requests.'),
      );
    else if (named.toLowerCase() !== tenant.toLowerCase())
      sendJson(
        response,
        400,
        refusal(
          'invalid_tenant',
          `AADSTS90002: Tenant '${named}' not found. Check to make sure you have the correct tenant ID.`,
        ),
      );
    else if (answers[path] === undefined)
      sendJson(response, 404, refusal('not_found', `There is no ${pathname} here.`));
    else sendJson(response, 200, answers[path]);
  };
}

const refusal = (error: string, error_description: string) => ({ error, error_description });
