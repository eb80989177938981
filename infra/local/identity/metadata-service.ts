import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { instanceDocument } from './instance-document.ts';
import type { InstanceMetadata, MetadataDirectory } from './metadata-directory.ts';
import { answerInstance, apiVersions } from './metadata-instance.ts';
import { answerScheduledEvents } from './metadata-scheduled-events.ts';
import { answerToken } from './metadata-token.ts';
import type { ScheduledEvents } from './scheduled-events.ts';
import { sendJson } from './send-json.ts';
import type { Issue } from './tokens.ts';

/**
 * What a machine reaches at 169.254.169.254. Who asks is known by the address that the request comes from.
 * https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
 */
export function metadataService(
  directory: MetadataDirectory,
  events: ScheduledEvents,
  issue: Issue,
): RequestListener {
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://169.254.169.254');
    const refused = refusal(request);
    if (refused !== undefined) return sendJson(response, 400, refused);
    if (url.pathname === '/metadata/versions') return sendJson(response, 200, { apiVersions });
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const machine = await directory.byAddress(address);
    if (machine === undefined)
      return sendJson(response, 401, {
        error: 'unknown_source',
        error_description: `Unknown Source ${address}`,
      });
    await answer(request, response, url, machine, events, issue);
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  machine: InstanceMetadata,
  events: ScheduledEvents,
  issue: Issue,
): Promise<void> {
  const path = url.pathname.replace(/\/$/, '');
  if (path === '/metadata/scheduledevents')
    return await answerScheduledEvents(request, response, url, machine, events);
  if (request.method !== 'GET') return sendJson(response, 405, { error: 'Method not allowed' });
  if (path === '/metadata/identity/oauth2/token') return await answerToken(response, url, machine, issue);
  if (path === '/metadata/instance' || path.startsWith('/metadata/instance/'))
    return answerInstance(response, url, path.split('/').slice(3), instanceDocument(machine));
  sendJson(response, 404, { error: 'Not found' });
}

/** Both keep a request that someone else made the machine send from being answered. */
function refusal({ headers }: IncomingMessage): unknown {
  if (headers['x-forwarded-for'] !== undefined)
    return { error: 'bad_request_103', error_description: 'X-Forwarded-For is not allowed' };
  if (String(headers.metadata).toLowerCase() !== 'true')
    return { error: 'bad_request_102', error_description: 'Required metadata header not specified' };
  return undefined;
}
