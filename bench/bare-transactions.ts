import type { TableClient, TransactionAction } from '@azure/data-tables';
import type { TurnRows } from './turn-rows.ts';

/**
 * Writes what a chain's turns write, with nothing around it: one entity-group transaction a turn, each of which needs the
 * head's ETag of the one before.
 */
export async function bareTransactions(
  client: TableClient,
  { head, history, obligation }: TurnRows,
  partitionKey: string,
  turns: number,
): Promise<void> {
  const row = (kind: string, turn: number): string => `${kind}!${String(turn).padStart(6, '0')}`;
  let etag: string | undefined;
  for (let turn = 1; turn <= turns; turn += 1) {
    const top = { partitionKey, rowKey: 'head', ...head, turn };
    const actions: TransactionAction[] = [
      etag === undefined ? ['create', top] : ['update', top, 'Replace', { etag }],
      ['create', { partitionKey, rowKey: row('h', turn), ...history }],
    ];
    if (turn < turns) actions.push(['create', { partitionKey, rowKey: row('o', turn), ...obligation }]);
    if (turn > 1) actions.push(['delete', { partitionKey, rowKey: row('o', turn - 1) }]);
    const answer = await client.submitTransaction(actions);
    etag = answer.subResponses[0]?.etag;
    if (etag === undefined) throw new Error('the table gave no ETag for the head');
  }
}
