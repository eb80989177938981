import { tableKey } from '../../../../shared/state/key.ts';
import type { Row, Tables, Values, Write } from '../../../../shared/state/tables.ts';
import type { HistoryEvent } from './history.ts';
import {
  type Head,
  historyRow,
  type Instance,
  type Obligation,
  type Parent,
  type RuntimeStatus,
} from './instance.ts';
import { type LongTexts, packText, unpackText } from './long-text.ts';

/** One turn, all or nothing. At most 100 rows with the head. */
export interface Change {
  readonly id: string;
  readonly head: Head;
  /** Of the head that was read; undefined where there must be none. */
  readonly etag: string | undefined;
  /** This turn's events, of `head.executionId`; none where an execution only begins. */
  readonly events: readonly HistoryEvent[];
  readonly promised: ReadonlyMap<string, Obligation>;
  /** Rows to delete: fulfilled or obsolete. */
  readonly gone: readonly string[];
}

export interface InstanceStore {
  head(id: string): Promise<{ head: Head; etag: string } | undefined>;
  load(id: string): Promise<Instance | undefined>;
  /** @returns the head's new ETag. @throws Conflict if another host was faster */
  commit(change: Change): Promise<string>;
  /** One at a time, whether they are there or not. */
  deleteRows(id: string, rows: readonly string[]): Promise<void>;
  /** Everything of the instance. */
  purge(id: string): Promise<void>;
  heads(): AsyncIterable<{ id: string; head: Head }>;
}

export function instanceStore(tables: Tables, table: string, texts: LongTexts, host: string): InstanceStore {
  const folderOf = (id: string) => tableKey(id);

  const headOf = async (values: Values): Promise<Head> => ({
    name: String(values.name),
    version: String(values.version),
    executionId: String(values.executionId),
    status: values.status as RuntimeStatus,
    turn: Number(values.turn),
    createdAt: String(values.createdAt),
    updatedAt: String(values.updatedAt),
    parent: values.parent === '' ? undefined : (JSON.parse(String(values.parent)) as Parent),
    input: await unpackText(texts, values, 'input'),
    output: await unpackText(texts, values, 'output'),
    customStatus: await unpackText(texts, values, 'customStatus'),
  });

  const headValues = async (id: string, head: Head): Promise<Values> => {
    const folder = folderOf(id);
    return {
      id,
      kind: 'orchestration',
      name: head.name,
      version: head.version,
      executionId: head.executionId,
      status: head.status,
      turn: head.turn,
      createdAt: head.createdAt,
      updatedAt: head.updatedAt,
      parent: head.parent === undefined ? '' : JSON.stringify(head.parent),
      ...(await packText(texts, folder, 'input', head.input)),
      ...(await packText(texts, folder, 'output', head.output)),
      ...(await packText(texts, folder, 'customStatus', head.customStatus)),
    };
  };

  const jsonOf = async <Value>(row: Row): Promise<Value> =>
    JSON.parse((await unpackText(texts, row.values, 'd')) ?? 'null') as Value;

  return {
    async head(id) {
      const row = await tables.read(table, tableKey(id), 'head');
      return row === undefined || row.values.kind !== 'orchestration'
        ? undefined
        : { head: await headOf(row.values), etag: row.etag };
    },
    async load(id) {
      let found: { head: Head; etag: string } | undefined;
      const rows: Row[] = [];
      for await (const row of tables.list(table, { partition: tableKey(id) })) {
        if (row.row === 'head') found = { head: await headOf(row.values), etag: row.etag };
        else rows.push(row);
      }
      if (found === undefined) return undefined;
      const history: HistoryEvent[] = [];
      const obligations = new Map<string, Obligation>();
      const others: string[] = [];
      const current = found.head.executionId;
      for (const row of rows) {
        if (row.row.startsWith('o!')) {
          const obligation = await jsonOf<Obligation>(row);
          if (row.row.startsWith(`o!${current}!`) || outlives(obligation))
            obligations.set(row.row, obligation);
          else others.push(row.row);
          continue;
        }
        others.push(row.row);
        if (row.row.startsWith(`h!${current}!`))
          for (const event of await jsonOf<HistoryEvent[]>(row)) history.push({ ...event, IsPlayed: true });
      }
      return { id, ...found, history, obligations, rows: others };
    },
    async commit({ id, head, etag, events, promised, gone }) {
      const folder = folderOf(id);
      const values = await headValues(id, head);
      const writes: Write[] = [
        etag === undefined
          ? { kind: 'insert', row: 'head', values }
          : { kind: 'replace', row: 'head', values, etag },
      ];
      if (events.length > 0)
        writes.push({
          kind: 'insert',
          row: historyRow(head.executionId, head.turn),
          values: await packText(texts, folder, 'd', JSON.stringify(events)),
        });
      for (const [row, obligation] of promised)
        writes.push({
          kind: 'insert',
          row,
          values: { host, id, ...(await packText(texts, folder, 'd', JSON.stringify(obligation))) },
        });
      for (const row of gone) writes.push({ kind: 'delete', row });
      const etags = await tables.commit(table, tableKey(id), writes);
      return etags.get('head') ?? '';
    },
    async deleteRows(id, rows) {
      await deleteEach(tables, table, tableKey(id), rows);
    },
    async purge(id) {
      const partition = tableKey(id);
      const rows: string[] = [];
      for await (const { row } of tables.list(table, { partition })) if (row !== 'head') rows.push(row);
      await deleteEach(tables, table, partition, rows);
      await deleteEach(tables, table, partition, ['head']);
      await texts.deleteAll(`${folderOf(id)}/`);
    },
    async *heads() {
      for await (const row of tables.list(table, { from: 'head', to: 'head!' }))
        if (row.values.kind === 'orchestration')
          yield { id: String(row.values.id), head: await headOf(row.values) };
    },
  };
}

/** Owed to others: an execution's end does not lift it. */
export const outlives = (obligation: Obligation): boolean =>
  obligation.kind === 'message' || obligation.kind === 'answer';

/** In transactions where all are there, else one by one: whoever came before has done part of it. */
export async function deleteEach(
  tables: Tables,
  table: string,
  partition: string,
  rows: readonly string[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += 100) {
    const part = rows.slice(at, at + 100);
    try {
      await tables.commit(
        table,
        partition,
        part.map((row) => ({ kind: 'delete', row })),
      );
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (part.length === 1) continue;
      for (const row of part) await deleteEach(tables, table, partition, [row]);
    }
  }
}

const isConflict = (error: unknown): boolean => error instanceof Error && error.name === 'Conflict';
