import { z } from 'zod';
import { RepositoryName, Tag } from '../../model/image.ts';
import { Imported, ImportProgress, Platform } from '../../model/image-import.ts';
import { route } from '../route.ts';

const ImportView = z.object({
  id: z.string(),
  from: z.string(),
  to: z.object({ repository: RepositoryName, tag: Tag.optional() }),
  progress: ImportProgress.optional(),
  /** Once it has ended. */
  result: Imported.optional(),
});
export type ImportView = z.infer<typeof ImportView>;

export const startImport = route({
  name: 'start-import',
  method: 'POST',
  path: '/api/v1/images/imports',
  permission: 'images.push',
  // Asks for push on the repository that it goes to.
  mindsGrants: true,
  summary: 'Brings an image of another registry. The same Idempotency-Key again is the same import.',
  body: {
    schema: z.strictObject({
      /** As `docker pull` names it: docker.io/library/nginx:1.27. */
      from: z.string().min(1).max(1000),
      /** The same name without the host, and the same tag, if left out. */
      to: z.strictObject({ repository: RepositoryName, tag: Tag.optional() }).optional(),
      platform: Platform.optional(),
      referrers: z.boolean().default(false),
    }),
  },
  status: 202,
  answer: z.object({ id: z.string(), location: z.string() }),
});

export const getImport = route({
  name: 'get-import',
  method: 'GET',
  path: '/api/v1/images/imports/{import}',
  permission: 'images.pull',
  mindsGrants: true,
  summary: 'How far an import is.',
  params: z.object({ import: z.string().regex(/^import-[0-9a-f]{40}$/, 'expected the id of an import') }),
  answer: ImportView,
});
