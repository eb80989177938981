import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { route } from '../route.ts';

export const ImageView = z.object({
  repository: RepositoryName,
  tag: Tag,
  digest: Digest,
  /** Bytes of all that the image names, compressed. */
  size: z.number(),
  /** RFC 3339. */
  pushedAt: z.string(),
});
export type ImageView = z.infer<typeof ImageView>;

export const listImages = route({
  name: 'list-images',
  method: 'GET',
  path: '/api/v1/images',
  permission: 'images.pull',
  mindsGrants: true,
  summary: 'The tags in the registry that the caller may pull, by repository.',
  answer: z.object({ registry: z.string(), images: z.array(ImageView) }),
});
