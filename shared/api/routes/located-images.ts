import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { route } from '../route.ts';

/** Where an image is here, that somebody names as `docker pull` does. */
const LocatedImage = z.object({
  /** With its host: `docker.io/library/nginx:1.27`. */
  image: z.string(),
  /** Absent: it is not here. */
  found: z
    .object({
      repository: RepositoryName,
      tag: Tag.optional(),
      digest: Digest.optional(),
      /** `own`: of this name, without a host. `copy`: a source fetches it. `import`: as an import without another name calls it. */
      by: z.enum(['own', 'copy', 'import']),
    })
    .optional(),
});

export const locateImage = route({
  name: 'locate-image',
  method: 'GET',
  path: '/api/v1/images/located',
  permission: 'images.pull',
  mindsGrants: true,
  summary:
    'Where an image that is named as for docker pull is in this registry: its own, a copy of a source, or imported.',
  query: z.strictObject({ image: z.string().min(1).max(1000) }),
  answer: LocatedImage,
});
