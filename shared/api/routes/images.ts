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

/** `repository:tag`, as `next` of the page before says it. */
const Cursor = z
  .string()
  .regex(/^[^:]+:[^:]+$/, 'expected repository:tag, as "next" of the page before has it')
  .transform((text) => {
    const [repository, tag] = text.split(':');
    return { repository, tag };
  })
  .pipe(z.object({ repository: RepositoryName, tag: Tag }));

export const listImages = route({
  name: 'list-images',
  method: 'GET',
  path: '/api/v1/images',
  permission: 'images.pull',
  mindsGrants: true,
  summary: 'The tags in the registry that the caller may pull, by repository.',
  query: z.strictObject({
    repository: RepositoryName.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(1000),
    after: Cursor.optional(),
  }),
  answer: z.object({
    registry: z.string(),
    images: z.array(ImageView),
    /** There are more: ask for what comes `after` this. */
    next: z.string().optional(),
  }),
});
