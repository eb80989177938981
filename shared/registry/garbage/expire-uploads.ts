import type { Finding } from '../../model/care-run.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { inParallel } from '../in-parallel.ts';
import { before } from './ages.ts';
import { deleteListed } from './sweep-blobs.ts';

/** Storage forgets blocks that were staged this long ago: what an upload holds is then gone. Milliseconds. */
const UPLOAD_MS = 7 * 24 * 3600 * 1000;

/** Ends uploads to which nothing was added for a week. */
export const expireUploads: Step = async ({ blobs }, { order, startedAt, cursor }) => {
  const { blobs: page, next } = await blobs.page('uploads/', cursor);
  const findings: Finding[] = [];
  await inParallel(page, WIDTH, async (upload) => {
    if (upload.modifiedAt.getTime() >= before(startedAt, UPLOAD_MS)) return;
    if (!order.dryRun && !(await deleteListed(blobs, upload))) return;
    const why = `nothing was added to it since ${upload.modifiedAt.toISOString()}`;
    findings.push({ what: 'upload', name: upload.name.slice('uploads/'.length), bytes: 0, why, goes: 'now' });
  });
  return { cursor: next, findings };
};
