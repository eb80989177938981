import { type LogQuery, logQuery } from '../../../shared/api/parameters.ts';
import { readRunLogs } from '../../../shared/api/routes/jobs.ts';
import { readReplicaLogs } from '../../../shared/api/routes/services.ts';
import type { LogRequest } from '../../../shared/docker/engine.ts';
import { keptSources } from '../../../shared/logs/read-kept.ts';
import { type LogSelection, readLogs } from '../../../shared/logs/read-logs.ts';
import type { Run } from '../../../shared/model/job.ts';
import type { Replica } from '../../../shared/model/service.ts';
import { placeOf } from '../../../shared/workloads/stores.ts';
import type { Services } from '../../services.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { runAt } from './jobs.ts';
import { type LogLine, logResponse } from './log-response.ts';
import { runLogs, serviceLogs } from './log-sources.ts';
import { notFound } from './not-found.ts';

export const ofReplica = endpoint(readReplicaLogs, async (call) => {
  const { replica: number, ...key } = call.params;
  const { services } = call;
  const name = `${number.slot}.g${number.generation}`;
  const selection = serviceLogs(services, { ...key, replica: name }, false);
  const row = (await services.stores.replicas.get(...placeOf.replica({ key, ...number })))?.value;
  const kept = await isKept(services, selection);
  // With nothing kept there is nothing to show of a machine that does not answer.
  if (!kept) for (const one of await selection.live()) await (await one.engine()).version();
  if (row === undefined && !kept)
    throw notFound(
      'replica',
      `${name} of ${key.application}/${key.service} in environment ${key.environment}`,
      `List them: berth ps --environment ${key.environment}`,
    );
  return logResponse((signal) => linesOf(services, selection, request(call), signal, row));
});

export const ofRun = endpoint(readRunLogs, async (call) => {
  const { services } = call;
  const run = await runAt(services.stores, call.params, call.params.run);
  return logResponse((signal) => linesOf(services, runLogs(services, run), request(call), signal, run));
});

async function isKept(
  { logs }: Pick<Services, 'logs'>,
  { folder, isWanted }: LogSelection,
): Promise<boolean> {
  return (await keptSources(logs.blobs, folder)).some(({ source }) => isWanted(source));
}

/** Where neither its engine nor the kept logs have anything, the last lines in its record are shown. */
async function* linesOf(
  { logs }: Pick<Services, 'logs'>,
  selection: LogSelection,
  asked: LogRequest,
  signal: AbortSignal,
  record: Run | Replica | undefined,
): AsyncGenerator<LogLine> {
  const { live } = selection;
  let some = false;
  const counted: LogSelection = {
    ...selection,
    async live() {
      const found = await live();
      some ||= found.length > 0;
      return found;
    },
  };
  for await (const item of readLogs(logs.blobs, counted, asked, signal)) {
    some = true;
    if (!('note' in item)) yield item;
  }
  if (some || record === undefined || (await isKept({ logs }, selection))) return;
  yield* remembered(lastLines(record), asked);
}

type LogCall = Pick<Call<unknown, LogQuery, unknown>, 'query' | 'request'>;

/** What a client that lost its stream has seen last stands in its query, or in the header that browsers send. */
function request({ query, request: { headers } }: LogCall): LogRequest {
  const since = query.since ?? logQuery.shape.since.parse(headers.get('last-event-id') ?? undefined);
  return {
    follow: query.follow,
    ...(since === undefined ? {} : { since }),
    ...(query.tail === undefined ? {} : { tail: query.tail }),
  };
}

/** Last lines that stand in a record, all with the time at which it ended. */
function lastLines({ status }: Run | Replica): LogLine[] {
  if (!('lastLines' in status)) return [];
  return status.lastLines.map((text) => ({ stream: 'stdout', time: status.at, text, kept: true }));
}

function remembered(lines: readonly LogLine[], { since, tail }: LogRequest): readonly LogLine[] {
  const newer = lines.filter(({ time }) => since === undefined || time > since);
  return tail === undefined ? newer : newer.slice(Math.max(0, newer.length - tail));
}
