import { createHash } from 'node:crypto';
import * as df from 'durable-functions';
import {
  cancelMachineRuns,
  getMachineRuns,
  listMachineRuns,
  readMachineRunOutput,
  startMachineRuns,
} from '../../../shared/api/routes/machine-runs.ts';
import { beginRuns } from '../../../shared/machines/run/begin-runs.ts';
import { cancelRun } from '../../../shared/machines/run/end-run.ts';
import { lookAtRun } from '../../../shared/machines/run/look-at-run.ts';
import { machinesFor, osOfImage, renderOrder, summary } from '../../../shared/machines/run/plan-run.ts';
import { runCommand, runInstance } from '../../../shared/machines/run/run-activities.ts';
import { batchOf } from '../../../shared/machines/run/run-store.ts';
import { Terminal } from '../../../shared/model/errors.ts';
import type { Machine } from '../../../shared/model/machine.ts';
import {
  hasEnded,
  type MachineRun,
  type OperatingSystem,
  outputBlob,
} from '../../../shared/model/machine-run.ts';
import type { Services } from '../../services.ts';
import { endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

/** Seconds for which files of a storage account can be fetched after a run was asked for. */
const FETCHED_WITHIN = 3600;
/** Bytes of each stream in one answer. */
const PIECE = 256 * 1024;

export const start = endpoint(
  startMachineRuns,
  async ({ body, principal, request, context, services }) => {
    const by = principal?.id ?? 'anonymous';
    const machines = machinesFor(body.on, await services.machines.list());
    const sign: Parameters<typeof renderOrder>[2] = (url, account) =>
      services.signBlob(url, account, FETCHED_WITHIN);
    const on = await Promise.all(
      machines.map(async (machine) => {
        const os = await osOf(machine, services);
        return { machine, os, rendered: renderOrder(body, os, sign) };
      }),
    );
    const key = createHash('sha256')
      .update(JSON.stringify([by, request.headers.get('idempotency-key') ?? crypto.randomUUID()]))
      .digest('hex');
    const wanted = batchOf(services.now(), key.slice(0, 8));
    const batch = await services.machineRuns.claim(key, wanted);
    // The same request came before. One that ended before it had recorded anything had asked Azure for nothing, and is
    // answered now.
    const earlier = batch === wanted ? [] : await services.machineRuns.ofBatch(batch);
    if (earlier.length > 0) return { batch, runs: [...earlier] };
    const { timeout, user } = body;
    const runs = await beginRuns(services, { batch, by, what: summary(body), timeout, user, on });
    const client = df.getClient(context);
    for (const run of runs)
      await client
        .startNew(runCommand.name, { instanceId: runInstance(run.id), input: { run: run.id } })
        // The sweep finds it by its row.
        .catch((error: unknown) => context.error(`run ${run.id} is not followed yet:`, error));
    return { batch, runs: [...runs] };
  },
  { durable: true },
);

async function osOf(
  { image, golden, resources }: Machine,
  { runCommands }: Services,
): Promise<OperatingSystem> {
  const known = osOfImage(golden ?? image) ?? osOfImage(image);
  if (known !== undefined) return known;
  const found = await runCommands.osOf(resources.vm);
  if (found !== undefined) return found;
  throw new Terminal({
    code: 'machine-not-found',
    status: 404,
    message: `Azure has no virtual machine ${resources.vm}.`,
    remedy: 'List them: berth machine ls',
  });
}

export const list = endpoint(listMachineRuns, async ({ query, services }) => {
  const runs: MachineRun[] = [];
  for await (const run of services.machineRuns.list()) {
    if (query.machine !== undefined && run.machine !== query.machine) continue;
    runs.push(run);
    if (runs.length === query.limit) break;
  }
  return { runs };
});

async function runsOf(id: string, { machineRuns }: Services): Promise<MachineRun[]> {
  const one = id.includes('.') ? await machineRuns.get(id) : undefined;
  const found = id.includes('.') ? (one === undefined ? [] : [one]) : await machineRuns.ofBatch(id);
  if (found.length === 0) throw notFound('run', id, 'List them: berth machine runs');
  return [...found];
}

export const get = endpoint(getMachineRuns, async ({ params, services }) => ({
  runs: await runsOf(params.run, services),
}));

export const cancel = endpoint(cancelMachineRuns, async ({ params, principal, services }) => {
  const runs: MachineRun[] = [];
  for (const run of await runsOf(params.run, services)) {
    const asked = (await cancelRun(services, run.id, principal?.id ?? 'anonymous')) ?? run;
    runs.push((await lookAtRun(services, run.id)) ?? asked);
  }
  return { runs };
});

export const output = endpoint(readMachineRunOutput, async ({ params, query, services }) => {
  const [before] = await runsOf(params.run, services);
  if (before === undefined || !params.run.includes('.'))
    throw new Terminal({
      code: 'run-ambiguous',
      message: `${params.run} stands for the runs of several machines.`,
      remedy: 'Name one of them: <run>.<machine>',
    });
  // Who watches learns of the end at once, not when the orchestration next looks.
  const run = hasEnded(before) ? before : ((await watched(services, before)) ?? before);
  const read = async (stream: 'stdout' | 'stderr') => {
    const from = query[stream];
    const { bytes, size } = await services.runLogs.read(outputBlob(run.id, stream), from, PIECE);
    const next = from + bytes.length;
    return { piece: { data: Buffer.from(bytes).toString('base64'), next }, isLast: next >= size };
  };
  const [stdout, stderr] = await Promise.all([read('stdout'), read('stderr')]);
  const complete = hasEnded(run) && stdout.isLast && stderr.isLast;
  return { run, stdout: stdout.piece, stderr: stderr.piece, complete };
});

/** Milliseconds between looks for those who watch a run, in this process. */
const LOOKS = 900;
const looked = new Map<string, number>();

async function watched(services: Services, run: MachineRun): Promise<MachineRun | undefined> {
  const now = services.now().getTime();
  for (const [id, at] of looked) if (now - at > 60_000) looked.delete(id);
  if (now - (looked.get(run.id) ?? 0) < LOOKS) return undefined;
  looked.set(run.id, now);
  return await lookAtRun(services, run.id);
}
