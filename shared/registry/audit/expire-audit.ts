import type { Tables, Write } from '../../state/tables.ts';
import { listRepositories, partitionOf, REGISTRY, rowsOf } from '../repository.ts';
import { newestFirst } from '../stamp.ts';

/** The trail is kept so long. */
export const KEPT_DAYS = 90;
const DAY_MS = 24 * 3600 * 1000;

/** Forgets what was done longer ago than `KEPT_DAYS`; gives how many rows. */
export async function expireAudit(tables: Tables, now: Date): Promise<number> {
  const oldest = newestFirst((now.getTime() - KEPT_DAYS * DAY_MS) * 1000);
  let removed = 0;
  for await (const { name } of listRepositories(tables)) {
    let writes: Write[] = [];
    const commit = async (): Promise<void> => {
      if (writes.length > 0) await tables.commit(REGISTRY, partitionOf(name), writes);
      removed += writes.length;
      writes = [];
    };
    for await (const { row } of tables.list(REGISTRY, { ...rowsOf(name, 'a!'), from: `a!${oldest}` })) {
      writes.push({ kind: 'delete', row });
      if (writes.length === 100) await commit();
    }
    await commit();
  }
  return removed;
}
