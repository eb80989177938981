import { z } from 'zod';
import { hasEnded, MachineRun } from '../../model/machine-run.ts';
import { documents } from '../../state/documents.ts';
import { Conflict, type Tables } from '../../state/tables.ts';

const LAST_MOMENT = 999_999_999_999_999;
const RUN = 'run';
const OPEN = 'open';
const KEY = 'key';

/** Id of runs that are asked for together: the later, the earlier it sorts. @param nonce 8 hex digits */
export const batchOf = (at: Date, nonce: string): string =>
  `${String(LAST_MOMENT - at.getTime()).padStart(15, '0')}-${nonce}`;

/** When the runs of an id were asked for. */
export const askedAt = (run: string): Date => new Date(LAST_MOMENT - Number(run.slice(0, 15)));

/**
 * Table `machineruns`: partition `run` has a row for each run, newest first; `open` has one for each that is not over or
 * still has something in ARM; `key` says which runs a request made.
 */
export interface MachineRunStore {
  /** @returns the batch that is made for this request: the given one, or that of the same request before */
  claim(key: string, batch: string): Promise<string>;
  /** Records it, also as open. */
  add(run: MachineRun): Promise<void>;
  get(id: string): Promise<MachineRun | undefined>;
  /** Of one batch, by the names of their machines. */
  ofBatch(batch: string): Promise<readonly MachineRun[]>;
  change(id: string, change: (run: MachineRun) => MachineRun | undefined): Promise<MachineRun | undefined>;
  /** It has ended and ARM has nothing of it. */
  close(id: string): Promise<void>;
  list(): AsyncIterable<MachineRun>;
  /** Ids of those that are not closed. */
  open(): Promise<readonly string[]>;
  /** Forgets a run that is over. */
  remove(id: string): Promise<void>;
  /** Those asked for before a moment. */
  before(moment: Date): AsyncIterable<MachineRun>;
}

export function machineRunStore(tables: Tables): MachineRunStore {
  const table = 'machineruns';
  const runs = documents(tables, table, MachineRun);
  const marks = documents(tables, table, z.object({}));
  const keys = documents(tables, table, z.object({ batch: z.string() }));
  return {
    async claim(key, batch) {
      try {
        await keys.insert(KEY, key, { batch });
        return batch;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return (await keys.get(KEY, key))?.value.batch ?? batch;
      }
    },
    async add(run) {
      // First: an open mark without a run is swept, a run without a mark would never be.
      await marks.upsert(OPEN, run.id, {});
      await runs.insert(RUN, run.id, run);
    },
    get: async (id) => (await runs.get(RUN, id))?.value,
    async ofBatch(batch) {
      const found: MachineRun[] = [];
      for await (const { value } of runs.list({ partition: RUN, from: `${batch}.`, to: `${batch}/` }))
        found.push(value);
      return found;
    },
    change: (id, change) => runs.update(RUN, id, (current) => current && change(current)),
    async close(id) {
      await runs.update(RUN, id, (run) =>
        run === undefined || run.removed ? undefined : { ...run, removed: true },
      );
      await marks.delete(OPEN, id);
    },
    async *list() {
      for await (const { value } of runs.list({ partition: RUN, page: 100 })) yield value;
    },
    async open() {
      const found: string[] = [];
      for await (const { row } of marks.list({ partition: OPEN })) found.push(row);
      return found;
    },
    async remove(id) {
      await runs.delete(RUN, id);
      await marks.delete(OPEN, id);
    },
    async *before(moment) {
      const from = batchOf(moment, '');
      for await (const { value } of runs.list({ partition: RUN, from })) if (hasEnded(value)) yield value;
    },
  };
}
