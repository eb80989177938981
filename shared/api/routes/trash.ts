import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { route } from '../route.ts';

/** Something that was deleted and can be restored. */
export const Deleted = z.object({
  repository: RepositoryName,
  /** Absent for a manifest. */
  tag: Tag.optional(),
  digest: Digest,
  /** Bytes of the image. */
  size: z.number(),
  deletedAt: z.string(),
  /** Key or user, or `retention`. */
  deletedBy: z.string(),
  restorableUntil: z.string(),
});
export type Deleted = z.infer<typeof Deleted>;

export const listTrash = route({
  name: 'list-trash',
  method: 'GET',
  path: '/api/v1/registry/trash',
  permission: 'images.delete',
  mindsGrants: true,
  summary: 'What was deleted and can be restored, by repository.',
  query: z.strictObject({ repository: RepositoryName.optional() }),
  answer: z.object({ deleted: z.array(Deleted) }),
});

export const restoreImage = route({
  name: 'restore-image',
  method: 'POST',
  path: '/api/v1/images/restore',
  permission: 'images.push',
  summary: 'Brings back a tag and what it pointed to, or a manifest with what was deleted together with it.',
  body: {
    schema: z.strictObject({
      repository: RepositoryName,
      reference: z.union([Digest, Tag]),
      /** Move tags that point to something else by now. */
      force: z.boolean().default(false),
    }),
  },
  answer: z.object({
    manifests: z.array(Digest),
    tags: z.array(Tag),
    /** Tags that point to something else by now, and were left alone. */
    taken: z.array(Tag),
  }),
});
