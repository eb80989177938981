import { Refused, start } from './client.ts';
import { type ManagementAddress, managementUrls } from './client-binding.ts';
import type { Hub } from './hub.ts';
import { finished, type Head } from './instance.ts';
import type { ManagementAnswer, ManagementRequest } from './management-messages.ts';

const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean =>
  query.has(name) ? query.get(name)?.toLowerCase() === 'true' : otherwise;

/** Status as the API says it: input and output are always there. */
function statusBody(id: string, head: Head, showInput: boolean): Record<string, unknown> {
  return {
    name: head.name,
    instanceId: id,
    runtimeStatus: head.status,
    input: showInput && head.input !== null ? (JSON.parse(head.input) as unknown) : null,
    customStatus: head.customStatus === null ? null : (JSON.parse(head.customStatus) as unknown),
    output: head.output === null ? null : (JSON.parse(head.output) as unknown),
    createdTime: seconds(head.createdAt),
    lastUpdatedTime: seconds(head.updatedAt),
  };
}

const seconds = (iso: string): string => `${iso.slice(0, 19)}Z`;

export async function instanceStatus(
  hub: Hub,
  address: ManagementAddress,
  id: string,
  query: URLSearchParams,
): Promise<ManagementAnswer> {
  const withHistory = flag(query, 'showHistory', false);
  const found = withHistory ? await hub.instances.load(id) : await hub.instances.head(id);
  if (found === undefined) return { status: 404 };
  const { head } = found;
  const body = statusBody(id, head, flag(query, 'showInput', true));
  if ('history' in found) {
    const outputs = flag(query, 'showHistoryOutput', false);
    body.historyEvents = found.history.map((event) =>
      outputs || !('Result' in event) ? event : { ...event, Result: undefined },
    );
  }
  if (!finished(head.status))
    return {
      status: 202,
      body,
      headers: { location: managementUrls(address, id).statusQueryGetUri, 'retry-after': '5' },
    };
  const asError = head.status === 'Failed' && flag(query, 'returnInternalServerErrorOnFailure', false);
  return { status: asError ? 500 : 200, body };
}

/** In pages of `top`; the token is the id that the next page begins after. */
export async function listInstances(
  hub: Hub,
  { query, headers }: ManagementRequest,
): Promise<ManagementAnswer> {
  const given = headers['x-ms-continuation-token'];
  const after =
    typeof given === 'string' && given !== '' ? Buffer.from(given, 'base64url').toString() : undefined;
  const top = Number(query.get('top') ?? 100);
  const showInput = flag(query, 'showInput', true);
  const matching = (await matches(hub, query)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = matching.filter(({ id }) => after === undefined || id > after).slice(0, top);
  const last = page.at(-1);
  const more = last !== undefined && matching.at(-1)?.id !== last.id;
  return {
    status: 200,
    body: page.map(({ id, head }) => statusBody(id, head, showInput)),
    ...(more ? { headers: { 'x-ms-continuation-token': Buffer.from(last.id).toString('base64url') } } : {}),
  };
}

/** Only what has finished is deleted. */
export async function deleteInstances(hub: Hub, query: URLSearchParams): Promise<ManagementAnswer> {
  if (!query.has('createdTimeFrom')) throw new Refused(400, "The parameter 'createdTimeFrom' is missing.");
  let deleted = 0;
  for (const { id, head } of await matches(hub, query)) {
    if (!finished(head.status)) continue;
    hub.engine.forget(id);
    await hub.instances.purge(id);
    deleted += 1;
  }
  return deleted === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted: deleted } };
}

async function matches({ instances }: Hub, query: URLSearchParams): Promise<{ id: string; head: Head }[]> {
  const from = timeOf(query, 'createdTimeFrom') ?? Number.NEGATIVE_INFINITY;
  const to = timeOf(query, 'createdTimeTo') ?? Number.POSITIVE_INFINITY;
  const statuses = query.get('runtimeStatus')?.toLowerCase().split(',');
  const prefix = query.get('instanceIdPrefix') ?? '';
  const found: { id: string; head: Head }[] = [];
  for await (const one of instances.heads()) {
    const created = Date.parse(one.head.createdAt);
    if (created < from || created > to || !one.id.startsWith(prefix)) continue;
    if (statuses === undefined || statuses.includes(one.head.status.toLowerCase())) found.push(one);
  }
  return found;
}

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Refused(400, `'${name}' is no time: '${text}'.`);
  return time;
}

export async function restart(
  hub: Hub,
  address: ManagementAddress,
  id: string,
  withNewId: boolean,
): Promise<ManagementAnswer> {
  const found = await hub.instances.head(id);
  if (found === undefined) throw new Refused(404, `There is no orchestration '${id}'.`);
  const { name, version, input } = found.head;
  const started = await start(hub, { name, version, input, id: withNewId ? undefined : id });
  return { status: 202, body: managementUrls(address, started) };
}
