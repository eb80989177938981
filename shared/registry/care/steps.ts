import type { CarePhase } from '../../model/care-run.ts';
import { expireUploads } from '../garbage/expire-uploads.ts';
import { markDeleted, markManifests } from '../garbage/mark.ts';
import { forgetMarks } from '../garbage/marks.ts';
import { sweepBlobs, sweepManifests } from '../garbage/sweep-blobs.ts';
import { markUploads, sweepData } from '../garbage/sweep-data.ts';
import { sweepLinks } from '../garbage/sweep-links.ts';
import { expireDeleted } from '../trash/expire.ts';
import type { Step } from './step.ts';

/** What is done for a page of each phase. */
export const gcSteps = {
  'expire-uploads': expireUploads,
  'expire-deleted': expireDeleted,
  'mark-manifests': markManifests,
  'mark-deleted': markDeleted,
  'sweep-links': sweepLinks,
  'sweep-manifests': sweepManifests,
  'mark-uploads': markUploads,
  'sweep-blobs': sweepBlobs,
  'sweep-data': sweepData,
  'forget-marks': async ({ blobs }, { order, startedAt }) => {
    await forgetMarks(blobs, order.run, startedAt);
    return { cursor: undefined, findings: [] };
  },
} as const satisfies Partial<Record<CarePhase, Step>>;
