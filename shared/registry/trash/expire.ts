import type { Finding } from '../../model/care-run.ts';
import { documentOf } from '../../state/documents.ts';
import { Conflict } from '../../state/tables.ts';
import { repositoryRows } from '../care/repository-rows.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { inParallel } from '../in-parallel.ts';
import { partitionOf, REGISTRY } from '../repository.ts';
import { DeletedManifest, DeletedTag } from './entries.ts';

/** Lets go what was deleted too long ago to be restored. */
export const expireDeleted: Step = async ({ tables }, { order, startedAt, cursor }) => {
  const page = await repositoryRows(tables, 'x!', cursor);
  const findings: Finding[] = [];
  await inParallel(page.rows, WIDTH, async ({ repository, row }) => {
    const { name, deletion } = row.row.startsWith('x!m!')
      ? of(documentOf(DeletedManifest, row.values), ({ digest }) => `${repository}@${digest}`)
      : of(documentOf(DeletedTag, row.values), ({ entry }) => `${repository}:${entry.tag}`);
    if (Date.parse(deletion.restorableUntil) > startedAt.getTime()) return;
    try {
      if (!order.dryRun)
        await tables.commit(REGISTRY, partitionOf(repository), [
          { kind: 'delete', row: row.row, etag: row.etag },
        ]);
    } catch (error) {
      // It was restored meanwhile, or deleted once more.
      if (error instanceof Conflict) return;
      throw error;
    }
    const why = `deleted ${deletion.deletedAt} by ${deletion.deletedBy}, restorable until ${deletion.restorableUntil}`;
    findings.push({ what: 'deleted', name, bytes: 0, why, goes: 'now' });
  });
  return { cursor: page.cursor, findings };
};

const of = <T extends DeletedManifest | DeletedTag>(deletion: T, nameOf: (deletion: T) => string) => ({
  name: nameOf(deletion),
  deletion,
});
