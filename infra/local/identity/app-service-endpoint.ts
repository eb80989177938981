import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { sendJson } from './send-json.ts';
import { type Issue, isResource, type Principal } from './tokens.ts';

export interface AppIdentity extends Principal {
  /** The secret of `IDENTITY_HEADER`. */
  readonly header: string;
}

/**
 * `GET /msi/token?api-version=2019-08-01&resource=…&client_id=…` with `X-IDENTITY-HEADER`, as App Service offers it in
 * `IDENTITY_ENDPOINT`. The app has a user-assigned identity and no system-assigned one: `client_id`, `principal_id` or
 * `mi_res_id` must name it.
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export function appServiceEndpoint(identity: AppIdentity, issue: Issue): RequestListener {
  const refuse = (response: Parameters<RequestListener>[1], status: number, message: string) =>
    sendJson(response, status, { StatusCode: status, Message: message, CorrelationId: randomUUID() });

  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const query = url.searchParams;
    const resource = query.get('resource');
    if (url.pathname !== '/msi/token') refuse(response, 404, `No such endpoint: ${url.pathname}`);
    else if (request.method !== 'GET') refuse(response, 405, 'Only GET is allowed.');
    else if (!isSecret(request.headers['x-identity-header'], identity.header))
      refuse(response, 401, 'The X-IDENTITY-HEADER header is missing or does not match IDENTITY_HEADER.');
    else if (query.get('api-version') !== '2019-08-01')
      refuse(
        response,
        400,
        `Unsupported api-version '${query.get('api-version') ?? ''}', expected 2019-08-01.`,
      );
    else if (!resource) refuse(response, 400, "Required query parameter 'resource' is missing.");
    else if (!isResource(resource))
      refuse(
        response,
        400,
        `AADSTS500011: The resource principal named ${resource} was not found in the tenant: expected an https:// or api:// URI or an application id.`,
      );
    else if (!isNamed(identity, query))
      refuse(response, 400, 'No Managed Identity found for specified ClientId/ResourceId/PrincipalId.');
    else {
      const { token, expiresOn } = await issue(identity, resource);
      sendJson(response, 200, {
        access_token: token,
        expires_on: String(expiresOn),
        resource,
        token_type: 'Bearer',
        client_id: identity.clientId,
      });
    }
  };
}

const isNamed = (identity: AppIdentity, query: URLSearchParams): boolean =>
  same(query.get('client_id'), identity.clientId) ||
  same(query.get('principal_id') ?? query.get('object_id'), identity.principalId) ||
  same(query.get('mi_res_id'), identity.identityId);

const same = (given: string | null, own: string): boolean => given?.toLowerCase() === own.toLowerCase();

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isSecret = (given: string | string[] | undefined, secret: string): boolean =>
  typeof given === 'string' && timingSafeEqual(digest(given), digest(secret));
