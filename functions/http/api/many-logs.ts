import {
  getLogRetention,
  type ManyLogsQuery,
  putLogRetention,
  readLogs as route,
} from '../../../shared/api/routes/logs.ts';
import type { Cursor } from '../../../shared/logs/log-line.ts';
import { readLogs } from '../../../shared/logs/read-logs.ts';
import { endpoint } from '../endpoint.ts';
import { logResponse } from './log-response.ts';
import { serviceLogs } from './log-sources.ts';

export const read = endpoint(route, async ({ params, query, services }) => {
  const { application, service, replica } = query;
  const selection = serviceLogs(services, { ...params, application, service, replica }, true);
  const cursors = cursorsOf(query.cursor);
  return logResponse((signal) => readLogs(services.logs.blobs, selection, { ...query, cursors }, signal));
});

function cursorsOf(text: ManyLogsQuery['cursor']): ReadonlyMap<string, Cursor> {
  const cursors = new Map<string, Cursor>();
  for (const part of text?.split(',') ?? []) {
    const [container = '', stdout = '', stderr = ''] = part.split('~');
    cursors.set(container, { stdout: stdout || undefined, stderr: stderr || undefined });
  }
  return cursors;
}

export const retention = endpoint(getLogRetention, ({ params, services }) =>
  services.logRetentions.of(params.environment),
);

export const setRetention = endpoint(putLogRetention, async ({ params, body, services }) => {
  await services.logRetentions.set(params.environment, body);
  return body;
});
