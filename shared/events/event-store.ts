import { CloudEvent } from '../model/cloud-event.ts';
import { documentOf, documentValues } from '../state/documents.ts';
import { tableKey } from '../state/key.ts';
import { Conflict, type Tables } from '../state/tables.ts';
import { eventHash } from './event-hash.ts';

/** An event as it lies in the table. */
export interface StoredEvent {
  readonly hash: string;
  readonly event: CloudEvent;
}

/** Table `events`: row `e!<hash>` is the event, row `p!<hash>` beside it says that it was not answered yet. */
export interface EventStore {
  /** Stores the event with its mark in one transaction. A row that exists is a duplicate, and stays as it is. */
  append(event: CloudEvent): Promise<{ readonly status: 'stored' | 'duplicate'; readonly hash: string }>;
  /** Its orchestrations were started: takes the mark away. */
  answered(event: Pick<CloudEvent, 'source'>, hash: string): Promise<void>;
  /** It was refused: takes the event and its mark away, as if it had never come. */
  withdraw(event: Pick<CloudEvent, 'source'>, hash: string): Promise<void>;
  /** True while the mark is there. */
  isPending(event: Pick<CloudEvent, 'source'>, hash: string): Promise<boolean>;
  /** Events that still have their mark and were stored before `before`. */
  pending(before: Date): AsyncIterable<StoredEvent>;
  get(source: string, hash: string): Promise<CloudEvent | undefined>;
  /** Removes what was stored before this moment; gives how many. */
  expire(before: Date): Promise<number>;
}

const TABLE = 'events';

export function eventStore(tables: Tables, now: () => Date): EventStore {
  return {
    async append(event) {
      const hash = await eventHash(event);
      const storedAt = now().toISOString();
      try {
        await tables.commit(TABLE, tableKey(event.source), [
          {
            kind: 'insert',
            row: `e!${hash}`,
            values: { ...documentValues(event), storedAt, type: event.type, time: event.time },
          },
          { kind: 'insert', row: `p!${hash}`, values: { storedAt } },
        ]);
        return { status: 'stored', hash };
      } catch (error) {
        if (error instanceof Conflict && error.kind === 'exists') return { status: 'duplicate', hash };
        throw error;
      }
    },
    async answered({ source }, hash) {
      try {
        await tables.commit(TABLE, tableKey(source), [{ kind: 'delete', row: `p!${hash}` }]);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
    async withdraw({ source }, hash) {
      try {
        await tables.commit(TABLE, tableKey(source), [
          { kind: 'delete', row: `e!${hash}` },
          { kind: 'delete', row: `p!${hash}` },
        ]);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
    isPending: async ({ source }, hash) =>
      (await tables.read(TABLE, tableKey(source), `p!${hash}`)) !== undefined,
    async *pending(before) {
      for await (const mark of tables.list(TABLE, { from: 'p!', to: 'p"' })) {
        if (String(mark.values['storedAt']) >= before.toISOString()) continue;
        const hash = mark.row.slice(2);
        const found = await tables.read(TABLE, mark.partition, `e!${hash}`);
        if (found !== undefined) yield { hash, event: documentOf(CloudEvent, found.values) };
      }
    },
    async get(source, hash) {
      const found = await tables.read(TABLE, tableKey(source), `e!${hash}`);
      return found && documentOf(CloudEvent, found.values);
    },
    async expire(before) {
      let removed = 0;
      for await (const found of tables.list(TABLE, { from: 'e!', to: 'e"' })) {
        if (String(found.values['storedAt']) >= before.toISOString()) continue;
        await tables.commit(TABLE, found.partition, [{ kind: 'delete', row: found.row }]);
        removed += 1;
      }
      return removed;
    },
  };
}
