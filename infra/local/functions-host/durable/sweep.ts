import { setTimeout as wait } from 'node:timers/promises';
import { Conflict, type Row, type Tables } from '../../../../shared/state/tables.ts';
import type { HostLog } from '../log.ts';
import type { Hosts } from './hosts.ts';
import type { Dispatch, Obligation } from './instance.ts';
import { type LongTexts, unpackText } from './long-text.ts';
import type { Work } from './work.ts';

export interface SweepParts {
  readonly tables: Tables;
  readonly table: string;
  readonly texts: LongTexts;
  readonly hosts: Hosts;
  readonly work: Work;
  readonly dispatch: Dispatch;
  /** Whether the instance still owes it; asked before anything is repeated. */
  readonly owed: (id: string, row: string) => Promise<boolean>;
  readonly log: HostLog;
}

/** Milliseconds: between looks at the other hosts, and between sweeps while none has died. */
const beatInterval = 2_000;
const sweepInterval = 30_000;

/**
 * Takes over obligations that nobody works on: of hosts that died, and our own that went lost. The whole table is read only at
 * the start, when a host has died, and every half minute.
 * @returns stops it
 */
export function sweep(parts: SweepParts): () => Promise<void> {
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    let due = 0;
    while (!stopped.signal.aborted) {
      try {
        const died = await parts.hosts.beat();
        if (died || Date.now() >= due) {
          await sweepOnce(parts, stopped.signal);
          due = Date.now() + sweepInterval;
        }
      } catch (error) {
        if (!stopped.signal.aborted) parts.log.failure('sweep', error);
      }
      await wait(beatInterval, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  };
  const running = loop();
  return async () => {
    stopped.abort();
    await running;
  };
}

async function sweepOnce(parts: SweepParts, signal: AbortSignal): Promise<void> {
  for await (const row of parts.tables.list(parts.table, { from: 'o!', to: 'o"' })) {
    if (signal.aborted) return;
    await adopt(parts, row);
  }
}

async function adopt(
  { tables, table, texts, hosts, work, dispatch, owed }: SweepParts,
  row: Row,
): Promise<void> {
  const id = String(row.values.id);
  const host = String(row.values.host);
  if (work.has(id, row.row) || (host !== hosts.self && hosts.alive(host))) return;
  // The list may be old: what we have just fulfilled is no longer there.
  const fresh = await tables.read(table, row.partition, row.row);
  if (fresh === undefined || fresh.etag !== row.etag || work.has(id, row.row)) return;
  if (!(await owed(id, row.row))) {
    await tables.commit(table, row.partition, [{ kind: 'delete', row: row.row }]).catch(ignoreConflict);
    return;
  }
  try {
    await tables.commit(table, row.partition, [
      { kind: 'replace', row: row.row, values: { ...fresh.values, host: hosts.self }, etag: fresh.etag },
    ]);
  } catch (error) {
    return ignoreConflict(error);
  }
  const obligation = JSON.parse((await unpackText(texts, fresh.values, 'd')) ?? 'null') as Obligation;
  dispatch(id, row.row, obligation);
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof Conflict)) throw error;
}
