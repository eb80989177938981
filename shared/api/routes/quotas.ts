import { z } from 'zod';
import { RepositoryName } from '../../model/image.ts';
import { route } from '../route.ts';

export const listQuotas = route({
  name: 'list-quotas',
  method: 'GET',
  path: '/api/v1/registry/quotas',
  permission: 'images.pull',
  mindsGrants: true,
  summary: 'Bytes that repositories hold, each digest once in each, and their quotas.',
  query: z.strictObject({ repository: RepositoryName.optional() }),
  answer: z.object({
    repositories: z.array(
      z.object({
        repository: RepositoryName,
        used: z.number(),
        /** Absent: no limit. */
        quota: z.number().optional(),
      }),
    ),
  }),
});
