import type { Finding } from '../../model/care-run.ts';
import { Conflict } from '../../state/tables.ts';
import { repositoryRows } from '../care/repository-rows.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { inParallel } from '../in-parallel.ts';
import { listLinked } from '../linked.ts';
import { BlobEntry, linkedAtOf } from '../links.ts';
import { forgetUse } from '../quota/use.ts';
import { partitionOf, REGISTRY } from '../repository.ts';
import { before, UNUSED_MS } from './ages.ts';
import { markOf, readMarks } from './marks.ts';

/** Takes blobs out of repositories in which no manifest names them, also where there is nothing but blobs. */
export const sweepLinks: Step = async ({ blobs, tables }, { order, startedAt, cursor }) => {
  const named = await readMarks(blobs, order.run, 'named');
  const page = await repositoryRows(tables, 'b!', cursor, listLinked);
  const findings: Finding[] = [];
  await inParallel(page.rows, WIDTH, async ({ repository, row }) => {
    const link = BlobEntry.parse(row.values);
    if (linkedAtOf(link) >= before(startedAt, UNUSED_MS)) return;
    if (named.has(markOf.link(repository, link.digest))) return;
    try {
      if (!order.dryRun)
        await tables.commit(REGISTRY, partitionOf(repository), [
          { kind: 'delete', row: row.row, etag: row.etag },
          forgetUse(),
        ]);
    } catch (error) {
      // Somebody relied on it meanwhile, or took it away.
      if (error instanceof Conflict) return;
      throw error;
    }
    findings.push({
      what: 'link',
      name: `${repository}@${link.digest}`,
      bytes: link.size,
      why: 'no manifest of the repository has named it for a day',
      goes: 'now',
    });
  });
  return { cursor: page.cursor, findings };
};
