import { documentOf } from '../../state/documents.ts';
import { repositoryRows } from '../care/repository-rows.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { readManifest } from '../content.ts';
import { inParallel } from '../in-parallel.ts';
import { ManifestEntry } from '../repository.ts';
import { DeletedManifest } from '../trash/entries.ts';
import { addMarks, markOf } from './marks.ts';
import { blobsNamedBy } from './named.ts';

/**
 * Marks the manifests of repositories and the blobs that they name. A manifest whose bytes are not there names nothing: nobody
 * can pull it. One that cannot be read in any other way ends the run.
 */
export const markManifests: Step = async ({ blobs, tables }, { order, cursor }) => {
  const page = await repositoryRows(tables, 'm!', cursor);
  const marks: string[] = [];
  await inParallel(page.rows, WIDTH, async ({ repository, row }) => {
    const { digest } = ManifestEntry.parse(row.values);
    const bytes = await readManifest(blobs, digest);
    marks.push(markOf.manifest(digest));
    if (bytes === undefined) return;
    for (const named of blobsNamedBy(bytes)) marks.push(markOf.blob(named), markOf.link(repository, named));
  });
  await addMarks(blobs, order.run, 'named', marks);
  return { cursor: page.cursor, findings: [] };
};

/**
 * Marks what can still be restored. It comes after the manifests, so that what is deleted meanwhile is seen here; what is
 * restored meanwhile is touched. Links are not kept: a restore makes them again, and until then they count for no quota.
 */
export const markDeleted: Step = async ({ blobs, tables }, { order, startedAt, cursor }) => {
  const page = await repositoryRows(tables, 'x!m!', cursor);
  const marks: string[] = [];
  await inParallel(page.rows, WIDTH, async ({ row }) => {
    const { digest, restorableUntil } = documentOf(DeletedManifest, row.values);
    if (Date.parse(restorableUntil) <= startedAt.getTime()) return;
    const bytes = await readManifest(blobs, digest);
    marks.push(markOf.manifest(digest));
    for (const named of bytes === undefined ? [] : blobsNamedBy(bytes)) marks.push(markOf.blob(named));
  });
  await addMarks(blobs, order.run, 'named', marks);
  return { cursor: page.cursor, findings: [] };
};
