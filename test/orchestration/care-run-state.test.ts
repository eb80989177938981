import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import { currentOf } from '../../functions/start-care.ts';
import { CareRun } from '../../shared/model/care-run.ts';
import { runName, runStore } from '../../shared/registry/care/run-store.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';

const startedAt = '2026-11-30T12:00:00.000Z';
const going = CareRun.parse({
  ...{ run: runName(new Date(startedAt), 'a'), kind: 'gc', dryRun: false, by: 'test', startedAt },
  ...{ state: 'going', totals: { found: 0, freed: 0, later: 0 } },
});
/** A client that says of every orchestration that it has ended, after something happened. */
const ended = (meanwhile: () => Promise<void>) =>
  ({
    async getStatus() {
      await meanwhile();
      return { runtimeStatus: 'Completed' };
    },
  }) as unknown as DurableClient;

test('a run that ended since it was read is as it ended, not cut off', async () => {
  const careRuns = runStore(memoryTables());
  await careRuns.put(going);
  const done: CareRun = { ...going, state: 'done', endedAt: '2026-11-30T12:00:05.000Z' };
  const client = ended(() => careRuns.put(done));
  expect(await currentOf({ careRuns }, client, going)).toEqual(done);
});

test('a run whose orchestration is gone without a word was cut off', async () => {
  const careRuns = runStore(memoryTables());
  await careRuns.put(going);
  expect(
    await currentOf(
      { careRuns },
      ended(async () => {}),
      going,
    ),
  ).toMatchObject({ state: 'failed' });
});
