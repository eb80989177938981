import type { Finding } from '../../model/care-run.ts';
import { BlobConflict, type BlobInfo, type Blobs } from '../../state/blobs.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { inParallel } from '../in-parallel.ts';
import { before, CONDEMNED_MS, UNUSED_MS } from './ages.ts';
import { addMarks, markOf, readMarks } from './marks.ts';
import { deleteListed } from './sweep-blobs.ts';

/** Metadata of data that nothing names: since when, RFC 3339. */
const CONDEMNED = 'condemned';

/** The data of an upload that goes on is its own, even if a request that ended early has put it together already. */
export const markUploads: Step = async ({ blobs }, { order, cursor }) => {
  const { blobs: page, next } = await blobs.page('uploads/', cursor);
  await addMarks(
    blobs,
    order.run,
    'data',
    page.map(({ name }) => markOf.data(name.slice('uploads/'.length))),
  );
  return { cursor: next, findings: [] };
};

/** Marks data that no pointer and no upload names, and deletes what was marked long enough ago. */
export const sweepData: Step = async ({ blobs, now }, { order, startedAt, cursor }) => {
  const used = await readMarks(blobs, order.run, 'data');
  const { blobs: page, next } = await blobs.page('data/', cursor);
  const findings: Finding[] = [];
  await inParallel(page, WIDTH, async (data) => {
    const since = data.metadata[CONDEMNED];
    if (used.has(markOf.data(data.name.slice('data/'.length)))) {
      if (since !== undefined && !order.dryRun) await setCondemned(blobs, data, undefined);
      return;
    }
    const found = { what: 'data', name: data.name.slice('data/'.length), bytes: data.size } as const;
    if (since === undefined) {
      if (data.modifiedAt.getTime() >= before(startedAt, UNUSED_MS)) return;
      if (!order.dryRun && !(await setCondemned(blobs, data, now()))) return;
      findings.push({ ...found, why: 'no blob points to it', goes: 'later' });
    } else if (Date.parse(since) < before(startedAt, CONDEMNED_MS)) {
      if (!order.dryRun && !(await deleteListed(blobs, data))) return;
      findings.push({ ...found, why: `no blob has pointed to it since ${since}`, goes: 'now' });
    }
  });
  return { cursor: next, findings };
};

/** @returns false if somebody changed it since, or it is gone */
async function setCondemned(
  blobs: Blobs,
  { name, etag, metadata }: BlobInfo,
  since: Date | undefined,
): Promise<boolean> {
  const { [CONDEMNED]: _before, ...rest } = metadata;
  const next = since === undefined ? rest : { ...rest, [CONDEMNED]: since.toISOString() };
  try {
    await blobs.setMetadata(name, next, { ifMatch: etag });
    return true;
  } catch (error) {
    if (error instanceof BlobConflict) return false;
    throw error;
  }
}
