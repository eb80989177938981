import { type LogQuery, logQuery } from '../../../shared/api/parameters.ts';
import { readRunLogs } from '../../../shared/api/routes/jobs.ts';
import { readReplicaLogs } from '../../../shared/api/routes/services.ts';
import type { Engine, LogRequest } from '../../../shared/docker/engine.ts';
import type { Run } from '../../../shared/model/job.ts';
import { containerName, type Replica } from '../../../shared/model/service.ts';
import { all, placeOf } from '../../../shared/workloads/stores.ts';
import type { Services } from '../../services.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { runAt } from './jobs.ts';
import { type LogLine, logResponse } from './log-response.ts';
import { notFound } from './not-found.ts';

export const ofReplica = endpoint(readReplicaLogs, async (call) => {
  const { replica: number, ...key } = call.params;
  const { replicas } = call.services.stores;
  const replica = (await replicas.get(...placeOf.replica({ key, ...number })))?.value;
  if (replica === undefined)
    throw notFound(
      'replica',
      `${number.slot}.g${number.generation} of ${key.application}/${key.service} in environment ${key.environment}`,
      `List them: berth ps --environment ${key.environment}`,
    );
  const engine = await call.services.engineOf({ name: replica.machine, address: replica.address });
  const container = await engine.inspect(replica.containerId ?? containerName(replica));
  return container === undefined
    ? logResponse(() => remembered(keptLines(replica), request(call, new AbortController().signal)))
    : logResponse((signal) => engine.logs(container.id, request(call, signal)));
});

export const ofRun = endpoint(readRunLogs, async (call) => {
  const run = await runAt(call.services.stores, call.params, call.params.run);
  const found = await containerOf(run, call.services);
  return found === undefined
    ? logResponse(() => remembered(keptLines(run), request(call, new AbortController().signal)))
    : logResponse((signal) => found.engine.logs(found.id, request(call, signal)));
});

/** The container of a run's newest attempt; undefined if it has none, or its machine is gone. */
async function containerOf(
  run: Run,
  { stores, engineOf }: Services,
): Promise<{ engine: Engine; id: string } | undefined> {
  if (run.machine === undefined) return undefined;
  const machines = await all(stores.machines.list({ from: run.machine, to: `${run.machine}!` }));
  const address = machines[0]?.address;
  if (address === undefined) return undefined;
  const engine = await engineOf({ name: run.machine, address });
  const containers = await engine.list([`berth.run=${run.id}`]);
  const [newest] = [...containers].sort((a, b) => b.name.localeCompare(a.name, 'en', { numeric: true }));
  return newest && { engine, id: newest.id };
}

type LogCall = Pick<Call<unknown, LogQuery, unknown>, 'query' | 'request'>;

/** What a client that lost its stream has seen last stands in its query, or in the header that browsers send. */
function request({ query, request: { headers } }: LogCall, signal: AbortSignal): LogRequest {
  const since = query.since ?? logQuery.shape.since.parse(headers.get('last-event-id') ?? undefined);
  return {
    follow: query.follow,
    signal,
    ...(since === undefined ? {} : { since }),
    ...(query.tail === undefined ? {} : { tail: query.tail }),
  };
}

/** Last lines that were kept of a container that is gone, all with the time at which it ended. */
function keptLines({ status }: Run | Replica): LogLine[] {
  if (!('lastLines' in status)) return [];
  return status.lastLines.map((text) => ({ stream: 'stdout', time: status.at, text, kept: true }));
}

async function* remembered(lines: readonly LogLine[], { since, tail }: LogRequest): AsyncIterable<LogLine> {
  const newer = lines.filter(({ time }) => since === undefined || time > since);
  yield* tail === undefined ? newer : newer.slice(Math.max(0, newer.length - tail));
}
