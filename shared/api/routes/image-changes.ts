import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { flag, reference } from '../parameters.ts';
import { route } from '../route.ts';

export const copyImage = route({
  name: 'copy-image',
  method: 'POST',
  path: '/api/v1/images/copies',
  permission: 'images.push',
  // Asks for pull on the one repository and push on the other.
  mindsGrants: true,
  summary:
    'Gives an image another tag, in its own repository or in another, with all that it names. No bytes of blobs move.',
  body: {
    schema: z.strictObject({
      from: z.strictObject({ repository: RepositoryName, reference }),
      /** Without a tag the copy is found by its digest alone. */
      to: z.strictObject({ repository: RepositoryName, tag: Tag.optional() }),
      /** Also signatures, attestations and whatever else refers to it. */
      referrers: z.boolean().default(false),
    }),
  },
  answer: z.object({
    digest: Digest,
    /** Manifests that are in the other repository now, this image's own among them. */
    manifests: z.number().int(),
    /** Blobs that became part of the other repository. */
    mounted: z.number().int(),
  }),
});

export const untagImage = route({
  name: 'untag-image',
  method: 'DELETE',
  path: '/api/v1/images/tags',
  permission: 'images.delete',
  summary: 'Takes a tag away; the image stays.',
  query: z.strictObject({ repository: RepositoryName, tag: Tag }),
  answer: z.object({ repository: RepositoryName, tag: Tag, digest: Digest }),
});

export const deleteImage = route({
  name: 'delete-image',
  method: 'DELETE',
  path: '/api/v1/images',
  permission: 'images.delete',
  summary:
    'Deletes an image with all its tags. One that is run, that an index names or that has further tags needs consent.',
  query: z.strictObject({ repository: RepositoryName, reference, consent: flag.default(false) }),
  answer: z.object({ repository: RepositoryName, digest: Digest, tags: z.array(Tag) }),
});
