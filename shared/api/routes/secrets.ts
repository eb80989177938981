import { z } from 'zod';
import { ContentName } from '../../model/files.ts';
import { ApplicationName } from '../../model/names.ts';
import { MOST_SECRET, SecretKey } from '../../model/secret-record.ts';
import { flag, inEnvironment } from '../parameters.ts';
import { route } from '../route.ts';

/** A service or job whose containers are given a secret, and whether those that run have an older value. */
export const SecretUser = z.object({
  application: ApplicationName,
  kind: z.enum(['service', 'job']),
  name: z.string(),
  /** Replicas that were given an older value. */
  stale: z.number().int(),
});
export type SecretUser = z.infer<typeof SecretUser>;

/** A secret without its value, which nothing gives out. */
export const SecretView = z.object({
  key: SecretKey,
  version: z.number().int(),
  /** Bytes. */
  size: z.number().int(),
  changedAt: z.iso.datetime(),
  usedBy: z.array(SecretUser),
});
export type SecretView = z.infer<typeof SecretView>;

const list = '/api/v1/environments/{environment}/secrets' as const;
const one = inEnvironment.extend({ secret: ContentName });
/** Known to this application alone; without it, to all of the environment. */
const scope = z.strictObject({ application: ApplicationName.optional() });

export const listSecrets = route({
  name: 'list-secrets',
  method: 'GET',
  path: list,
  permission: 'secrets.read',
  summary: 'The secrets of an environment and who uses them, without their values.',
  params: inEnvironment,
  answer: z.object({ secrets: z.array(SecretView) }),
});

export const putSecret = route({
  name: 'put-secret',
  method: 'PUT',
  path: `${list}/{secret}`,
  permission: 'secrets.write',
  summary:
    'Gives a secret a value, which is sealed. Containers that run keep the value that they have; `usedBy` names those to restart.',
  params: one,
  query: scope,
  body: {
    schema: z.strictObject({
      value: z
        .string()
        .min(1)
        .max(MOST_SECRET * 2),
      /** `base64`: the value is that of bytes, which need not be text. */
      encoding: z.enum(['text', 'base64']).default('text'),
    }),
  },
  answer: SecretView,
});

export const deleteSecret = route({
  name: 'delete-secret',
  method: 'DELETE',
  path: `${list}/{secret}`,
  permission: 'secrets.write',
  summary: 'Removes a secret. One that something uses is refused unless it is forced.',
  params: one,
  query: scope.extend({ force: flag.default(false) }),
  status: 204,
  answer: z.null(),
});
