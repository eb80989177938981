import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { InstanceMetadata } from './metadata-directory.ts';
import type { ScheduledEvents } from './scheduled-events.ts';
import { sendJson } from './send-json.ts';

const Approval = z.object({ StartRequests: z.array(z.object({ EventId: z.string().min(1) })).min(1) });

/** GET shows what is announced for the machine; POST with `StartRequests` approves it. */
export async function answerScheduledEvents(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { name, resourceId }: InstanceMetadata,
  events: ScheduledEvents,
): Promise<void> {
  if (!/^20(19|20)-\d\d-\d\d$/.test(url.searchParams.get('api-version') ?? ''))
    return sendJson(response, 400, {
      error: 'Bad request. api-version is invalid or was not specified, expected 2020-07-01',
    });
  if (request.method === 'GET') {
    const { incarnation, events: announced } = events.of(resourceId);
    return sendJson(response, 200, {
      DocumentIncarnation: incarnation,
      Events: announced.map(({ id, type, status, notBefore, description }) => ({
        EventId: id,
        EventType: type,
        ResourceType: 'VirtualMachine',
        Resources: [name],
        EventStatus: status,
        NotBefore: status === 'Started' ? '' : notBefore.toUTCString(),
        Description: description,
        EventSource: 'Platform',
        DurationInSeconds: -1,
      })),
    });
  }
  if (request.method !== 'POST') return sendJson(response, 405, { error: 'Method not allowed' });
  const approval = Approval.safeParse(await json(request).catch(() => undefined));
  if (!approval.success)
    return sendJson(response, 400, { error: 'Bad request. Expected {"StartRequests":[{"EventId":"…"}]}' });
  const unknown = approval.data.StartRequests.filter(({ EventId }) => !events.approve(resourceId, EventId));
  if (unknown.length > 0)
    return sendJson(response, 400, {
      error: `Bad request. No event ${unknown.map(({ EventId }) => EventId).join(', ')}`,
    });
  response.writeHead(200).end();
}
