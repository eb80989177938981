import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import { currentOf } from '../../functions/start-care.ts';
import { CareRun, type Finding } from '../../shared/model/care-run.ts';
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

test('findings with long reasons are kept in rows that a table takes, and read again in their order', async () => {
  const tables = memoryTables();
  const careRuns = runStore(tables);
  const long = `not one of keepTags ${'release-*, '.repeat(150)}`;
  const findings = Array.from({ length: 3000 }, (_, number): Finding => {
    const why = number === 7 ? long.repeat(2000) : long;
    return { what: 'tag', name: `shop/web:${number}`, bytes: 0, why, goes: 'now' };
  });
  await careRuns.keep(going.run, 0, findings);
  await careRuns.keep(going.run, 1, findings.slice(0, 1));
  for await (const { values } of tables.list('carefindings', {}))
    expect(Object.values(values).join('').length).toBeLessThanOrEqual(480_000);
  const names: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await careRuns.findings(going.run, after);
    names.push(...page.findings.map(({ name }) => name));
    if (page.next === undefined) break;
    after = page.next;
  }
  expect(names).toEqual([...findings.map(({ name }) => name), 'shop/web:0']);
});
