import { tableKey } from '../../../../shared/state/key.ts';
import type { Tables, Values, Write } from '../../../../shared/state/tables.ts';
import type { EntityRequest } from './entity-request.ts';
import type { Obligation } from './instance.ts';
import { deleteEach } from './instance-store.ts';
import { type LongTexts, packText, unpackText } from './long-text.ts';

/** An entity between two batches. */
export interface EntityState {
  readonly exists: boolean;
  /** JSON text. */
  readonly state: string | null;
  /** The orchestration that holds its lock. */
  readonly lockedBy: string | null;
  /** What waits for the lock. */
  readonly queue: readonly EntityRequest[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

export interface StoredEntity {
  readonly value: EntityState;
  /** Undefined for one that was never written. */
  readonly etag: string | undefined;
  /** Ids of messages that were taken and may come again. */
  readonly receipts: ReadonlySet<string>;
}

export interface EntityStore {
  load(id: string): Promise<StoredEntity>;
  read(id: string): Promise<EntityState | undefined>;
  /** @returns the new ETag. @throws Conflict */
  commit(
    id: string,
    next: EntityState,
    etag: string | undefined,
    receipts: readonly string[],
    promised: ReadonlyMap<string, Obligation>,
  ): Promise<string>;
  forgetReceipt(id: string, message: string): Promise<void>;
  all(): AsyncIterable<{ id: string; value: EntityState }>;
}

const unborn: EntityState = { exists: false, state: null, lockedBy: null, queue: [], updatedAt: '' };
/** A receipt outlives any second delivery by far: milliseconds. */
const receiptLife = 86_400_000;

export function entityStore(tables: Tables, table: string, texts: LongTexts, host: string): EntityStore {
  const stateOf = async (values: Values): Promise<EntityState> => ({
    exists: values.exists === true,
    state: await unpackText(texts, values, 'state'),
    lockedBy: values.lockedBy === '' ? null : String(values.lockedBy),
    queue: JSON.parse((await unpackText(texts, values, 'queue')) ?? '[]') as EntityRequest[],
    updatedAt: String(values.updatedAt),
  });
  return {
    async load(id) {
      const partition = tableKey(id);
      let found: { value: EntityState; etag: string } | undefined;
      const receipts = new Set<string>();
      const old: string[] = [];
      for await (const { row, etag, values } of tables.list(table, { partition })) {
        if (row === 'head') found = { value: await stateOf(values), etag };
        else if (row.startsWith('r!') && Date.now() - Date.parse(String(values.at)) > receiptLife)
          old.push(row);
        else if (row.startsWith('r!')) receipts.add(String(values.message));
      }
      if (old.length > 0) await deleteEach(tables, table, partition, old);
      return { value: found?.value ?? unborn, etag: found?.etag, receipts };
    },
    async read(id) {
      const row = await tables.read(table, tableKey(id), 'head');
      return row === undefined ? undefined : await stateOf(row.values);
    },
    async commit(id, next, etag, receipts, promised) {
      const folder = tableKey(id);
      const values: Values = {
        id,
        kind: 'entity',
        exists: next.exists,
        lockedBy: next.lockedBy ?? '',
        updatedAt: next.updatedAt,
        ...(await packText(texts, folder, 'state', next.state)),
        ...(await packText(texts, folder, 'queue', JSON.stringify(next.queue))),
      };
      const writes: Write[] = [
        etag === undefined
          ? { kind: 'insert', row: 'head', values }
          : { kind: 'replace', row: 'head', values, etag },
        ...receipts.map(
          (message): Write => ({
            kind: 'insert',
            row: receiptRow(message),
            values: { message, at: new Date().toISOString() },
          }),
        ),
      ];
      for (const [row, obligation] of promised)
        writes.push({
          kind: 'insert',
          row,
          values: { host, id, ...(await packText(texts, folder, 'd', JSON.stringify(obligation))) },
        });
      return (await tables.commit(table, tableKey(id), writes)).get('head') ?? '';
    },
    async forgetReceipt(id, message) {
      await deleteEach(tables, table, tableKey(id), [receiptRow(message)]);
    },
    async *all() {
      for await (const row of tables.list(table, { from: 'head', to: 'head!' }))
        if (row.values.kind === 'entity')
          yield { id: String(row.values.id), value: await stateOf(row.values) };
    },
  };
}

const receiptRow = (message: string): string => `r!${tableKey(message)}`;
