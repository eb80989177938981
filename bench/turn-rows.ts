import { setTimeout as sleep } from 'node:timers/promises';
import type { TableClient, TableEntity } from '@azure/data-tables';
import { tableKey } from '../shared/state/key.ts';

/** What one turn of a chain writes: its rows without their keys, as the host wrote them. */
export interface TurnRows {
  readonly head: Properties;
  readonly history: Properties;
  readonly obligation: Properties;
  /** UTF-8 bytes of all values. */
  readonly bytes: number;
}
type Properties = Readonly<Record<string, unknown>>;

/** Reads the rows of a turn in the middle of a running chain: an obligation's is there only until it is fulfilled. */
export async function turnRowsOf(client: TableClient, instance: string): Promise<TurnRows> {
  for (;;) {
    const rows = await rowsOf(client, instance);
    const head = rows.find(({ rowKey }) => rowKey === 'head');
    const history = rows.filter(({ rowKey }) => rowKey?.startsWith('h!')).at(-1);
    const obligation = rows.find(({ rowKey }) => rowKey?.startsWith('o!'));
    if (head !== undefined && Number(head['turn']) >= 3 && history !== undefined && obligation !== undefined)
      return measured(propertiesOf(head), propertiesOf(history), propertiesOf(obligation));
    await sleep(10);
  }
}

async function rowsOf(client: TableClient, instance: string): Promise<readonly TableEntity[]> {
  const rows: TableEntity[] = [];
  const filter = `PartitionKey eq '${tableKey(instance)}'`;
  for await (const row of client.listEntities({ queryOptions: { filter } })) rows.push(row as TableEntity);
  return rows;
}

const propertiesOf = (row: TableEntity): Properties =>
  Object.fromEntries(
    Object.entries(row).filter(
      ([name]) =>
        !name.startsWith('odata.') && !['partitionKey', 'rowKey', 'etag', 'timestamp'].includes(name),
    ),
  );

function measured(head: Properties, history: Properties, obligation: Properties): TurnRows {
  const values = [head, history, obligation].flatMap((row) => Object.values(row));
  const bytes = values.reduce<number>((sum, value) => sum + Buffer.byteLength(String(value)), 0);
  return { head, history, obligation, bytes };
}
