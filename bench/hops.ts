import { TableClient } from '@azure/data-tables';
import { appCredential } from '../infra/local/identity/app-credential.ts';
import { tableKey } from '../shared/state/key.ts';
import type { Seen } from './engine-events.ts';
import { median, tableOf } from './row.ts';
import type { WarmMachine } from './warm-machine.ts';
import type { Delivery } from './webhook.ts';

/** When an event passed each place on its way, milliseconds after it was sent, in this order. */
export type Hops = ReadonlyMap<string, number>;

/** Reads where a run that goes on has been: every row carries the time at which the table took it. */
export function hopReader({ running }: WarmMachine, hook: string, pool: string) {
  const { dataCentre } = running;
  const { gateway, ports, storageAccount } = dataCentre;
  const credential = appCredential(dataCentre);
  const client = (table: string): TableClient =>
    new TableClient(`https://${gateway}:${ports.table}/${storageAccount}`, table, credential);
  const [events, turns, capacity] = [client('events'), client('BerthState'), client('capacity')];

  return async ({ sent, accepted, hash }: Delivery, { created, running: started }: Seen): Promise<Hops> => {
    const [stored, turn, reserved] = await Promise.all([
      firstTime(events, tableKey(`hooks/${hook}`), `e!${hash}`),
      firstTime(turns, `ev-${hash}`, 'h!'),
      firstTime(capacity, pool, `r!ev-${hash}.a1`),
    ]);
    const times = new Map([
      ['event stored', stored],
      ['first turn committed, activity begins', turn],
      ['room reserved', reserved],
      ['container created', created],
      ['container running', started],
      ['(delivery acknowledged)', accepted],
    ]);
    return new Map([...times].map(([name, at]) => [name, at - sent]));
  };
}

/** When the first row that begins so was written, milliseconds since 1970. */
async function firstTime(client: TableClient, partition: string, row: string): Promise<number> {
  const filter = `PartitionKey eq '${partition}' and RowKey ge '${row}' and RowKey lt '${row}~'`;
  for await (const { timestamp } of client.listEntities({ queryOptions: { filter } }))
    if (timestamp !== undefined) return Date.parse(timestamp);
  throw new Error(`${client.tableName} has no row ${partition} ${row}`);
}

/** Medians: how far each place is from the beginning, and from the one before. */
export function hopTable(measured: readonly Hops[]): string {
  const names = [...(measured[0]?.keys() ?? [])];
  let before = 0;
  const lines = names.map((name) => {
    const at = median(measured.map((hops) => hops.get(name) ?? Number.NaN));
    const step = name.startsWith('(') ? '' : (at - before).toFixed(0);
    before = at;
    return [name, at.toFixed(0), step];
  });
  return tableOf(['event to running, medians', 'ms after sending', 'step'], lines);
}
