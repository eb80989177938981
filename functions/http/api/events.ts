import { type EventView, getEvent, listEvents } from '../../../shared/api/routes/events.ts';
import { concerns } from '../../../shared/events/concerns.ts';
import { CloudEvent } from '../../../shared/model/cloud-event.ts';
import { documentOf } from '../../../shared/state/documents.ts';
import { tableKey } from '../../../shared/state/key.ts';
import type { Row, Tables } from '../../../shared/state/tables.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

const TABLE = 'events';

export const list = endpoint(listEvents, async ({ query, services: { tables } }) => {
  const partition = query.source === undefined ? {} : { partition: tableKey(query.source) };
  const since = query.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.since);
  const isAbout = (query.environment ?? query.application ?? query.service) !== undefined;
  const found: { row: Row; time: number }[] = [];
  for await (const row of tables.list(TABLE, { ...partition, from: 'e!', to: 'e"' })) {
    const time = Date.parse(String(row.values.time));
    if (time <= since || (query.type !== undefined && row.values.type !== query.type)) continue;
    if (isAbout && !concerns(documentOf(CloudEvent, row.values), query)) continue;
    found.push({ row, time });
  }
  found.sort((a, b) => b.time - a.time);
  const views = found.slice(0, query.limit).map(({ row }) => viewOf(tables, row));
  return { events: await Promise.all(views) };
});

export const get = endpoint(getEvent, async ({ params: { hash }, query, services: { tables } }) => {
  const partition = query.source === undefined ? {} : { partition: tableKey(query.source) };
  for await (const row of tables.list(TABLE, { ...partition, from: `e!${hash}`, to: `e!${hash}!` }))
    return viewOf(tables, row);
  throw notFound('event', hash, 'Events are kept for 30 days; list them: berth events');
});

async function viewOf(tables: Tables, { partition, row, values }: Row): Promise<EventView> {
  const hash = row.slice(2);
  const mark = await tables.read(TABLE, partition, `p!${hash}`);
  return { hash, answered: mark === undefined, event: documentOf(CloudEvent, values) };
}
