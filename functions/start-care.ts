import { randomBytes } from 'node:crypto';
import type { DurableClient } from 'durable-functions';
import {
  type CareOrder,
  type CareProgress,
  type CareRun,
  careForRegistry,
  careInstance,
  nothingFound,
} from '../shared/model/care-run.ts';
import { Terminal } from '../shared/model/errors.ts';
import { runName } from '../shared/registry/care/run-store.ts';
import { isGoing } from './instances.ts';
import type { Services } from './services.ts';

/** Starts a run. @throws Terminal 409 `run-going` if there is one of its kind under way */
export async function startCare(
  { careRuns, now }: Pick<Services, 'careRuns' | 'now'>,
  client: DurableClient,
  asked: Omit<CareOrder, 'run' | 'startedAt'>,
): Promise<CareRun> {
  const instanceId = careInstance(asked.kind);
  if (await isGoing(client, instanceId))
    throw new Terminal({
      code: 'run-going',
      status: 409,
      message: `A run of ${asked.kind} is under way; there is one at a time.`,
      remedy: `Wait for it: berth registry ${asked.kind} runs`,
    });
  const at = now();
  const order: CareOrder = {
    ...asked,
    run: runName(at, randomBytes(4).toString('hex')),
    startedAt: at.toISOString(),
  };
  const run: CareRun = { ...order, state: 'going', totals: nothingFound };
  await careRuns.put(run);
  const input: CareProgress = { order, phase: 0, page: 0, totals: nothingFound };
  await client.startNew(careForRegistry.name, { instanceId, input });
  return run;
}

/**
 * A run as it is: one whose orchestration is gone was cut off. The end is recorded before the orchestration ends, so it is
 * read again once that is gone: it may have ended since `run` was read.
 */
export async function currentOf(
  { careRuns }: Pick<Services, 'careRuns'>,
  client: DurableClient,
  run: CareRun,
): Promise<CareRun> {
  if (run.state !== 'going' || (await isGoing(client, careInstance(run.kind)))) return run;
  const recorded = (await careRuns.get(run.kind, run.run)) ?? run;
  if (recorded.state !== 'going') return recorded;
  return {
    ...recorded,
    state: 'failed',
    reason: 'It was cut off; what it did is done, another run does the rest.',
  };
}
