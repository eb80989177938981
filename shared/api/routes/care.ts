import { z } from 'zod';
import { CareKind, CareRun, Finding } from '../../model/care-run.ts';
import { RepositoryName } from '../../model/image.ts';
import { route } from '../route.ts';

const runs = '/api/v1/registry/{kind}/runs' as const;
const ofKind = z.object({ kind: CareKind });
const ofRun = ofKind.extend({
  run: z.string().regex(/^\d{15}-[0-9a-f]{8}$/, 'expected the name of a run'),
});

export const startCareRun = route({
  name: 'start-care-run',
  method: 'POST',
  path: runs,
  permission: 'images.admin',
  summary: 'Starts garbage collection (gc) or retention over the registry; a dry run removes nothing.',
  params: ofKind,
  body: {
    schema: z.strictObject({
      dryRun: z.boolean().default(false),
      /** Of retention: only this repository. */
      repository: RepositoryName.optional(),
    }),
  },
  status: 202,
  answer: CareRun,
});

export const listCareRuns = route({
  name: 'list-care-runs',
  method: 'GET',
  path: runs,
  permission: 'images.admin',
  summary: 'Runs of the last 30 days, the newest first.',
  params: ofKind,
  answer: z.object({ runs: z.array(CareRun) }),
});

export const getCareRun = route({
  name: 'get-care-run',
  method: 'GET',
  path: `${runs}/{run}`,
  permission: 'images.admin',
  summary: 'A run, and a page of what it removed or would remove, with the reasons.',
  params: ofRun,
  query: z.strictObject({ after: z.string().max(40).optional() }),
  answer: z.object({
    run: CareRun,
    findings: z.array(Finding),
    /** For the next page, as `after`; absent after the last that is there yet. */
    next: z.string().optional(),
  }),
});
