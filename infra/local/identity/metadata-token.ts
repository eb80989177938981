import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { InstanceMetadata } from './metadata-directory.ts';
import { sendJson } from './send-json.ts';
import { type Issue, isResource } from './tokens.ts';

/** https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling */
export async function answerToken(
  response: ServerResponse,
  url: URL,
  machine: InstanceMetadata,
  issue: Issue,
): Promise<void> {
  const refuse = (error: string, error_description: string) =>
    sendJson(response, 400, { error, error_description });
  const query = url.searchParams;
  const resource = query.get('resource');
  const version = query.get('api-version');
  if (!version) return refuse('invalid_request', "Required query variable 'api-version' is missing");
  if (!/^20\d\d-\d\d-\d\d$/.test(version) || version < '2018-02-01')
    return refuse('bad_request', `api-version ${version} is not supported, expected 2018-02-01 or later`);
  if (!resource) return refuse('invalid_request', "Required query variable 'resource' is missing");
  if (!isResource(resource))
    return refuse(
      'invalid_resource',
      `AADSTS500011: The resource principal named ${resource} was not found in the tenant.`,
    );
  const { principalId, resourceId } = machine;
  if (principalId === undefined) return refuse('invalid_request', 'Identity not found');
  const clientId = clientIdOf(principalId);
  const named = [
    query.get('client_id') ?? clientId,
    query.get('object_id') ?? principalId,
    query.get('msi_res_id') ?? '',
  ];
  if (named[0] !== clientId || named[1] !== principalId || named[2] !== '')
    return refuse('invalid_request', 'Identity not found');

  const { token, notBefore, expiresOn } = await issue(
    { principalId, clientId, identityId: resourceId, resourceId },
    resource,
  );
  sendJson(response, 200, {
    access_token: token,
    client_id: clientId,
    expires_in: String(expiresOn - Math.floor(Date.now() / 1000)),
    expires_on: String(expiresOn),
    ext_expires_in: String(expiresOn - Math.floor(Date.now() / 1000)),
    not_before: String(notBefore),
    resource,
    token_type: 'Bearer',
  });
}

/** ARM tells only the principal id of a system-assigned identity; its application has an id of its own. */
function clientIdOf(principalId: string): string {
  const hex = createHash('sha256').update(`client of ${principalId}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
