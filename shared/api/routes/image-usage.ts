import { z } from 'zod';
import { RepositoryName } from '../../model/image.ts';
import { route } from '../route.ts';

export const ImageUsage = z.object({
  repositories: z.array(
    z.object({
      repository: RepositoryName,
      /** Bytes that are in no other repository which the caller may pull. */
      own: z.number(),
      /** Bytes that are in others too. */
      shared: z.number(),
      /** Part of `own` or `shared` that no manifest of the repository names. */
      garbage: z.number(),
      manifests: z.number().int(),
      blobs: z.number().int(),
    }),
  ),
  /** Bytes of all of them, each digest once. */
  total: z.number(),
});
export type ImageUsage = z.infer<typeof ImageUsage>;

export const getImageUsage = route({
  name: 'get-image-usage',
  method: 'GET',
  path: '/api/v1/images/usage',
  permission: 'images.pull',
  mindsGrants: true,
  summary: 'Bytes by repository: its own, shared with others, and named by no manifest.',
  query: z.strictObject({ repository: RepositoryName.optional() }),
  answer: ImageUsage,
});
