import type { Finding } from '../../model/care-run.ts';
import { BlobConflict, type BlobInfo, type Blobs } from '../../state/blobs.ts';
import { type Step, WIDTH } from '../care/step.ts';
import { inParallel } from '../in-parallel.ts';
import { before, UNUSED_MS } from './ages.ts';
import { addMarks, markOf, readMarks } from './marks.ts';

const digestOf = ({ name }: BlobInfo): string => name.split('/').slice(-2).join(':');

/** Deletes the version that was listed. @returns false if somebody touched it since, or it is gone */
export async function deleteListed(blobs: Blobs, { name, etag }: BlobInfo): Promise<boolean> {
  try {
    return await blobs.delete(name, { ifMatch: etag });
  } catch (error) {
    if (error instanceof BlobConflict) return false;
    throw error;
  }
}

/** Deletes manifests that no repository has. */
export const sweepManifests: Step = async ({ blobs }, { order, startedAt, cursor }) => {
  const named = await readMarks(blobs, order.run, 'named');
  const { blobs: page, next } = await blobs.page('manifests/', cursor);
  const findings: Finding[] = [];
  await inParallel(page, WIDTH, async (blob) => {
    if (blob.modifiedAt.getTime() >= before(startedAt, UNUSED_MS)) return;
    if (named.has(markOf.manifest(digestOf(blob)))) return;
    if (!order.dryRun && !(await deleteListed(blobs, blob))) return;
    findings.push({
      what: 'manifest',
      name: digestOf(blob),
      bytes: blob.size,
      why: 'no repository has it',
      goes: 'now',
    });
  });
  return { cursor: next, findings };
};

/** Deletes pointers to blobs that no manifest names, and marks the data of those that stay. */
export const sweepBlobs: Step = async ({ blobs }, { order, startedAt, cursor }) => {
  const named = await readMarks(blobs, order.run, 'named');
  const { blobs: page, next } = await blobs.page('blobs/', cursor);
  const findings: Finding[] = [];
  const used: string[] = [];
  await inParallel(page, WIDTH, async (pointer) => {
    const digest = digestOf(pointer);
    const isOld = pointer.modifiedAt.getTime() < before(startedAt, UNUSED_MS);
    const goes =
      isOld && !named.has(markOf.blob(digest)) && (order.dryRun || (await deleteListed(blobs, pointer)));
    if (!goes) {
      used.push(markOf.data(pointer.metadata['data'] ?? ''));
      return;
    }
    findings.push({
      what: 'blob',
      name: digest,
      bytes: Number(pointer.metadata['size'] ?? 0),
      why: 'no manifest has named it for a day',
      goes: 'now',
    });
  });
  await addMarks(blobs, order.run, 'data', used);
  return { cursor: next, findings };
};
