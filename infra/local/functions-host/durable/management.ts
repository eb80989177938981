import { Refused, raise, send, signal, start, terminate } from './client.ts';
import { type ManagementAddress, managementUrls } from './client-binding.ts';
import { partsOf } from './entities.ts';
import { EventType } from './history.ts';
import type { Hub } from './hub.ts';
import { deleteInstances, instanceStatus, listInstances, restart } from './management-instances.ts';
import type { ManagementAnswer, ManagementRequest } from './management-messages.ts';
import type { Outcome } from './message.ts';
import { entityId } from './replay/actions.ts';

/**
 * The durable extension's HTTP API.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
 */
export async function manage(
  hub: Hub,
  address: ManagementAddress,
  request: ManagementRequest,
): Promise<ManagementAnswer> {
  try {
    return await answer(hub, address, request);
  } catch (error) {
    if (error instanceof Refused) return { status: error.status, body: { Message: error.message } };
    throw error;
  }
}

async function answer(
  hub: Hub,
  address: ManagementAddress,
  request: ManagementRequest,
): Promise<ManagementAnswer> {
  const [kind, first, second, third] = request.path;
  if (kind === 'orchestrators' && first !== undefined && request.method === 'POST')
    return await startNew(hub, address, request, first, second);
  if (kind === 'entities') return await entity(hub, request, first, second);
  if (kind !== 'instances') return { status: 404 };
  if (first === undefined) {
    if (request.method === 'GET') return await listInstances(hub, request);
    return request.method === 'DELETE' ? await deleteInstances(hub, request.query) : { status: 404 };
  }
  if (second === undefined) {
    if (request.method === 'GET') return await instanceStatus(hub, address, first, request.query);
    return request.method === 'DELETE' ? await purge(hub, first) : { status: 404 };
  }
  return request.method === 'POST'
    ? await command(hub, address, request, first, second, third)
    : { status: 404 };
}

async function startNew(
  hub: Hub,
  address: ManagementAddress,
  { query, body }: ManagementRequest,
  name: string,
  given: string | undefined,
): Promise<ManagementAnswer> {
  const input = body === '' ? null : json(body);
  const id = await start(hub, { name, id: given, version: query.get('version') ?? '', input });
  const urls = managementUrls(address, id);
  return { status: 202, body: urls, headers: { location: urls.statusQueryGetUri, 'retry-after': '10' } };
}

async function command(
  hub: Hub,
  address: ManagementAddress,
  { query, body }: ManagementRequest,
  id: string,
  verb: string,
  name: string | undefined,
): Promise<ManagementAnswer> {
  const reason = query.get('reason');
  switch (verb) {
    case 'raiseEvent':
      if (name === undefined) return { status: 404 };
      return statusOf(await raise(hub, id, name, body === '' ? 'null' : json(body)));
    case 'terminate':
      return statusOf(await terminate(hub, id, reason));
    case 'suspend':
      return statusOf(await send(hub, id, { EventType: EventType.ExecutionSuspended, Reason: reason }));
    case 'resume':
      return statusOf(await send(hub, id, { EventType: EventType.ExecutionResumed, Reason: reason }));
    case 'restart':
      return await restart(hub, address, id, query.get('restartWithNewInstanceId') !== 'false');
    case 'rewind':
      throw new Refused(501, 'This host does not rewind orchestrations; restart them.');
    default:
      return { status: 404 };
  }
}

const statusOf = (outcome: Outcome): ManagementAnswer => ({
  status: outcome === 'taken' ? 202 : outcome === 'missing' ? 404 : 410,
});

async function purge({ instances, engine }: Hub, id: string): Promise<ManagementAnswer> {
  if ((await instances.head(id)) === undefined) return { status: 404 };
  engine.forget(id);
  await instances.purge(id);
  return { status: 200, body: { instancesDeleted: 1 } };
}

async function entity(
  hub: Hub,
  { method, query, body }: ManagementRequest,
  name: string | undefined,
  key: string | undefined,
): Promise<ManagementAnswer> {
  if (name === undefined || key === undefined) {
    if (method !== 'GET') return { status: 404 };
    const found: unknown[] = [];
    for await (const { id, value } of hub.entityStates.all())
      if (value.exists && (name === undefined || partsOf(id).name === name.toLowerCase()))
        found.push({
          entityId: partsOf(id),
          lastOperationTime: value.updatedAt,
          state: query.get('fetchState') === 'true' ? (JSON.parse(value.state ?? 'null') as unknown) : null,
        });
    return { status: 200, body: found };
  }
  const id = entityId(name, key);
  if (method === 'GET') {
    const state = await hub.entityStates.read(id);
    return state?.exists === true
      ? { status: 200, body: JSON.parse(state.state ?? 'null') as unknown }
      : { status: 404 };
  }
  if (hub.functions.entity(name) === undefined)
    throw new Refused(400, `There is no entity function '${name}'.`);
  const op = method === 'DELETE' ? 'delete' : (query.get('op') ?? '');
  await signal(hub, id, op, body === '' ? undefined : json(body));
  return { status: 202 };
}

function json(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    throw new Refused(400, 'The body is not JSON.');
  }
}
