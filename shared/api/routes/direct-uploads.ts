import { z } from 'zod';
import { Digest, RepositoryName } from '../../model/image.ts';
import { route } from '../route.ts';

const list = '/api/v1/registry/uploads' as const;

export const BegunUpload = z.discriminatedUnion('status', [
  /** The repository has the blob. */
  z.object({ status: z.literal('exists') }),
  /** The storage gives nobody a URL to write to: send the blob to `/v2/`. */
  z.object({ status: z.literal('indirect') }),
  z.object({
    status: z.literal('open'),
    id: z.uuid(),
    /** Put Block by this URL: https://learn.microsoft.com/rest/api/storageservices/put-block. It ends after an hour. */
    url: z.url(),
    blockSize: z.number().int(),
    /** Blocks that are not there yet. */
    missing: z.array(z.object({ id: z.string(), offset: z.number().int(), size: z.number().int() })),
  }),
]);
export type BegunUpload = z.infer<typeof BegunUpload>;

export const beginUpload = route({
  name: 'begin-upload',
  method: 'POST',
  path: list,
  permission: 'images.push',
  summary: 'Begins the upload of a blob straight to the storage, or goes on with one.',
  body: {
    schema: z.strictObject({
      repository: RepositoryName,
      digest: Digest,
      /** Bytes. */
      size: z.number().int().positive(),
      /** Of an upload that was begun before. */
      id: z.uuid().optional(),
    }),
  },
  answer: BegunUpload,
});

export const CommittedUpload = z.discriminatedUnion('status', [
  /** 201. */
  z.object({ status: z.literal('done') }),
  /** 202: bytes that were read and checked so far; ask again. */
  z.object({
    status: z.literal('verifying'),
    verified: z.number().int(),
    size: z.number().int(),
  }),
]);
export type CommittedUpload = z.infer<typeof CommittedUpload>;

export const commitUpload = route({
  name: 'commit-upload',
  method: 'POST',
  path: `${list}/{upload}/commit`,
  permission: 'images.push',
  summary:
    'Puts the staged blocks together and checks their digest: 201 when the blob is there, 202 while it is checked.',
  params: z.object({ upload: z.uuid('expected the id of an upload') }),
  body: { schema: z.strictObject({ repository: RepositoryName }) },
  status: 201,
  answer: CommittedUpload,
});
