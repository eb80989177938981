import { TableClient } from '@azure/data-tables';
import { tableKey } from '../shared/state/key.ts';
import { startTestStorage, type TestStorage } from '../test/support/storage.ts';
import { bareTransactions } from './bare-transactions.ts';
import type { Chains } from './durable-app/main.ts';
import { startDurableHost } from './durable-host.ts';
import type { Report } from './report.ts';
import { type Row, rowOf } from './row.ts';
import { turnRowsOf } from './turn-rows.ts';

const HUB = 'Bench';
const ROUNDS = 9;
const AT_ONCE = 8;
const ACTIVITIES = 25;
/** The first turn starts a chain, and every activity's end brings another. */
const TURNS = AT_ONCE * (ACTIVITIES + 1);
const TEXT = 'x'.repeat(200);

/** Turns that the embedded functions host commits in a second, against bare transactions of the same rows. */
export async function benchDurable(report: Report): Promise<readonly Row[]> {
  const storage = await startTestStorage();
  try {
    const host = await startDurableHost(storage, HUB);
    try {
      return [await measure(storage, host.run, report)];
    } finally {
      await host.stop();
    }
  } finally {
    await storage.stop();
  }
}

async function measure(
  storage: TestStorage,
  run: (chains: Chains) => Promise<void>,
  report: Report,
): Promise<Row> {
  const chains = (prefix: string): Chains => ({
    prefix,
    count: AT_ONCE,
    activities: ACTIVITIES,
    text: TEXT,
    milliseconds: 0,
  });
  await run(chains('warm'));
  const hub = new TableClient(storage.tableUri, `${HUB}State`, storage.credential);
  const sampled = run({ ...chains('sample'), count: 1, activities: 6, milliseconds: 300 });
  const rows = await turnRowsOf(hub, 'sample-0');
  await sampled;
  const bare = new TableClient(storage.tableUri, 'Bare', storage.credential);
  await bare.createTable();
  const reference = async (prefix: string): Promise<void> => {
    const each = Array.from({ length: AT_ONCE }, (_none, index) =>
      bareTransactions(bare, rows, `${prefix}-${index}`, ACTIVITIES + 1),
    );
    await Promise.all(each);
  };
  report(
    `durable turns: ${AT_ONCE} orchestrations at once of ${ACTIVITIES} activities each, ${ROUNDS} rounds; a turn is 4 rows, ${rows.bytes} bytes of values`,
  );
  await reference('warm');
  const rates: { ours: number[]; reference: number[] } = { ours: [], reference: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = Date.now();
    await run(chains(`round${round}`));
    rates.ours.push(perSecond((await lastCommit(hub, `round${round}`)) - began));
    const beganBare = performance.now();
    await reference(`round${round}`);
    rates.reference.push(perSecond(performance.now() - beganBare));
  }
  return rowOf('durable turns', 'turns/s', 'higher', rates.ours, rates.reference);
}

const perSecond = (milliseconds: number): number => TURNS / (milliseconds / 1000);

/** When the table took the last turn of the last chain, milliseconds since 1970. */
async function lastCommit(hub: TableClient, prefix: string): Promise<number> {
  const times = Array.from({ length: AT_ONCE }, async (_none, index) => {
    const { timestamp } = await hub.getEntity(tableKey(`${prefix}-${index}`), 'head');
    return Date.parse(timestamp ?? '');
  });
  return Math.max(...(await Promise.all(times)));
}
