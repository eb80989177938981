import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { SourceName } from '../../model/names.ts';
import { RegistryCredential } from '../../model/registry-address.ts';
import { Source, SourceSettings } from '../../registry/sources/source.ts';
import { route } from '../route.ts';

const list = '/api/v1/registry/sources' as const;
const one = `${list}/{source}` as const;
const params = z.object({ source: SourceName });

/** What went wrong with another registry, in the words of an error of ours. */
const Failed = z.object({
  outcome: z.literal('failed'),
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});

export const listSources = route({
  name: 'list-sources',
  method: 'GET',
  path: list,
  permission: 'images.admin',
  summary: 'Registries whose repositories are mirrored here, without their credentials.',
  answer: z.object({ sources: z.array(Source) }),
});

export const getSource = route({
  name: 'get-source',
  method: 'GET',
  path: one,
  permission: 'images.admin',
  summary: 'One source, without its credential.',
  params,
  answer: Source,
});

export const putSource = route({
  name: 'put-source',
  method: 'PUT',
  path: one,
  permission: 'images.admin',
  summary: 'Makes or changes a source: repositories below its prefix are copies from then on.',
  params,
  body: {
    schema: SourceSettings.extend({
      /** Sealed, and never told again. Left out: it stays as it is; null: there is none any more. */
      credential: RegistryCredential.nullable().optional(),
    }),
  },
  answer: Source,
});

export const deleteSource = route({
  name: 'delete-source',
  method: 'DELETE',
  path: one,
  permission: 'images.admin',
  summary: 'Removes a source and its credential. What was fetched stays, and is no copy any more.',
  params,
  status: 204,
  answer: z.null(),
});

export const testSource = route({
  name: 'test-source',
  method: 'POST',
  path: `${one}/test`,
  permission: 'images.admin',
  summary:
    'Asks the registry of a source, with its credential: for nothing, or for what one of its tags means.',
  params,
  body: { schema: z.strictObject({ repository: RepositoryName.optional(), tag: Tag.optional() }) },
  answer: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('answered'),
      host: z.string(),
      /** What the tag means there. */
      digest: Digest.optional(),
    }),
    Failed,
  ]),
});

export const RefreshResult = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('unchanged'), tag: Tag, digest: Digest }),
  z.object({ outcome: z.literal('moved'), tag: Tag, digest: Digest, before: Digest.optional() }),
  Failed.extend({ tag: Tag }),
]);
export type RefreshResult = z.infer<typeof RefreshResult>;

export const refreshCopies = route({
  name: 'refresh-copies',
  method: 'POST',
  path: '/api/v1/registry/refresh',
  permission: 'images.push',
  summary: 'Asks upstream what tags of a mirrored repository mean by now; one that moved is a push.',
  body: {
    schema: z.strictObject({
      repository: RepositoryName,
      /** All that are here if left out. */
      tag: Tag.optional(),
    }),
  },
  answer: z.object({ results: z.array(RefreshResult) }),
});
