import { LogRetention } from '../model/log-retention.ts';
import { type Documents, documents } from '../state/documents.ts';
import type { Tables } from '../state/tables.ts';
import type { AppendBlobs } from './append-blobs.ts';
import { parseSegment } from './log-source.ts';

export const USUAL_DAYS = 7;

export interface LogRetentions {
  of(environment: string): Promise<LogRetention>;
  set(environment: string, retention: LogRetention): Promise<void>;
}

/** Table `environments`: partition is the environment, row `logs`. */
export function logRetentions(tables: Tables): LogRetentions {
  const rows: Documents<LogRetention> = documents(tables, 'environments', LogRetention);
  return {
    of: async (environment) => (await rows.get(environment, 'logs'))?.value ?? { days: USUAL_DAYS },
    async set(environment, retention) {
      await rows.upsert(environment, 'logs', retention);
    },
  };
}

const DAY = 24 * 3600_000;

/** Removes segments to which nothing was added for longer than their environment keeps logs. @returns how many */
export async function expireLogs(
  blobs: AppendBlobs,
  retentions: Pick<LogRetentions, 'of'>,
  now: Date,
): Promise<number> {
  let removed = 0;
  for await (const environment of blobs.folders()) {
    const { days } = await retentions.of(environment);
    const before = now.getTime() - days * DAY;
    for await (const { name, modifiedAt } of blobs.list(`${environment}/`)) {
      if (parseSegment(name) === undefined || modifiedAt.getTime() >= before) continue;
      await blobs.remove(name);
      removed += 1;
    }
  }
  return removed;
}
