import { z } from 'zod';
import { type CareKind, CareRun, Finding } from '../../model/care-run.ts';
import { documents } from '../../state/documents.ts';
import { numberKey } from '../../state/key.ts';
import type { Tables } from '../../state/tables.ts';

/** Milliseconds that runs are kept. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** Findings of a row at most, and characters: a row holds about 480,000. */
const OF_A_ROW = 500;
const CHARACTERS = 400_000;
/** Characters of a reason. */
const LONGEST_WHY = 2_000;
const LAST_MOMENT = 999_999_999_999_999;

/** Name of a run: the later it begins, the earlier it sorts. */
export const runName = (at: Date, nonce: string): string =>
  `${String(LAST_MOMENT - at.getTime()).padStart(15, '0')}-${nonce}`;
const startedAtOf = (run: string): number => LAST_MOMENT - Number(run.slice(0, 15));

/** Tables `careruns` (partition: kind, newest first) and `carefindings` (partition: run). */
export interface RunStore {
  put(run: CareRun): Promise<void>;
  get(kind: CareKind, run: string): Promise<CareRun | undefined>;
  list(kind: CareKind): AsyncIterable<CareRun>;
  /** The findings of one page of a run; the same page again replaces them. */
  keep(run: string, page: number, findings: readonly Finding[]): Promise<void>;
  /** @param after what the last answer gave as `next` */
  findings(
    run: string,
    after?: string,
  ): Promise<{ readonly findings: readonly Finding[]; readonly next?: string }>;
  /** Forgets runs that are older than 30 days. */
  expire(now: Date): Promise<void>;
}

export function runStore(tables: Tables): RunStore {
  const runs = documents(tables, 'careruns', CareRun);
  const pages = documents(tables, 'carefindings', z.array(Finding));
  return {
    async put(run) {
      await runs.upsert(run.kind, run.run, run);
    },
    get: async (kind, run) => (await runs.get(kind, run))?.value,
    async *list(kind) {
      for await (const { value } of runs.list({ partition: kind })) yield value;
    },
    async keep(run, page, findings) {
      for (const [part, some] of rowsOf(findings).entries())
        await pages.upsert(run, `${numberKey(page)}.${numberKey(part)}`, some);
    },
    async findings(run, after) {
      const range = { partition: run, ...(after === undefined ? {} : { from: `${after}~` }) };
      for await (const { row, value } of pages.list(range)) return { findings: value, next: row };
      return { findings: [] };
    },
    async expire(now) {
      for await (const { partition, row } of runs.list({})) {
        if (now.getTime() - startedAtOf(row) < KEPT_MS) continue;
        for await (const page of pages.list({ partition: row })) await pages.delete(row, page.row);
        await runs.delete(partition, row);
      }
    },
  };
}

/** Findings as rows hold them. A reason may be long: an image may have thousands of tags, and a rule hundreds of patterns. */
function rowsOf(findings: readonly Finding[]): Finding[][] {
  const rows: Finding[][] = [];
  let row: Finding[] = [];
  let characters = 0;
  for (const { why, ...rest } of findings) {
    const finding = { ...rest, why: why.length > LONGEST_WHY ? `${why.slice(0, LONGEST_WHY)}…` : why };
    const length = JSON.stringify(finding).length;
    if (row.length === OF_A_ROW || characters + length > CHARACTERS) {
      rows.push(row);
      [row, characters] = [[], 0];
    }
    row.push(finding);
    characters += length;
  }
  return row.length === 0 ? rows : [...rows, row];
}
