import { tableKey } from '../../../../shared/state/key.ts';
import { Conflict, type Tables, type Values } from '../../../../shared/state/tables.ts';

/** How a timer stands; times as ISO 8601. */
export interface TimerStatus {
  readonly last: string;
  readonly next: string;
  readonly updated: string;
}

/** One row for each timer: its status, and which host runs it until when. */
export interface TimerStatuses {
  read(timer: string): Promise<TimerStatus | undefined>;
  /**
   * Makes this host the one that runs an occurrence, for `milliseconds`.
   * @returns undefined if another host runs it or has run it
   */
  claim(timer: string, status: TimerStatus, milliseconds: number): Promise<Claim | undefined>;
}

export interface Claim {
  renew(milliseconds: number): Promise<void>;
  /** Gives the claim back, with how the timer stands now. */
  release(status: TimerStatus): Promise<void>;
}

export function timerStatuses(tables: Tables, table: string): TimerStatuses {
  return {
    async read(timer) {
      return statusOf((await tables.read(table, 'timer', tableKey(timer)))?.values);
    },
    async claim(timer, status, milliseconds) {
      const row = tableKey(timer);
      const found = await tables.read(table, 'timer', row);
      const stored = statusOf(found?.values);
      if (Number(found?.values.heldUntil ?? 0) > Date.now()) return undefined;
      if (stored !== undefined && stored.updated !== status.updated) return undefined;
      const write = async (values: Values, etag: string | undefined): Promise<string> => {
        const etags = await tables.commit(table, 'timer', [
          etag === undefined ? { kind: 'insert', row, values } : { kind: 'replace', row, values, etag },
        ]);
        return etags.get(row) ?? '';
      };
      try {
        let etag = await write({ ...status, heldUntil: Date.now() + milliseconds }, found?.etag);
        return {
          async renew(more) {
            etag = await write({ ...status, heldUntil: Date.now() + more }, etag);
          },
          async release(next) {
            etag = await write({ ...next, heldUntil: 0 }, etag);
          },
        };
      } catch (error) {
        if (error instanceof Conflict) return undefined;
        throw error;
      }
    },
  };
}

const statusOf = (values: Values | undefined): TimerStatus | undefined =>
  values === undefined
    ? undefined
    : { last: String(values.last), next: String(values.next), updated: String(values.updated) };
