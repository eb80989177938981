import { z } from 'zod';
import { Role } from '../../auth/permissions.ts';
import { RepositoryGrant } from '../../auth/repository-grant.ts';
import { checkRights, rights } from '../../auth/rights.ts';
import { route } from '../route.ts';

/** What is known of a key; never the key. */
export const KeyView = z.object({
  id: z.string(),
  /** Absent: for the registry alone. */
  role: Role.optional(),
  /** What it may do in the registry, in place of what the role gives there. */
  repositories: z.array(RepositoryGrant).optional(),
  description: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});
export type KeyView = z.infer<typeof KeyView>;

export const listKeys = route({
  name: 'list-keys',
  method: 'GET',
  path: '/api/v1/keys',
  permission: 'keys.read',
  summary: 'The API keys that were made, without the keys themselves.',
  answer: z.object({ keys: z.array(KeyView) }),
});

export const createKey = route({
  name: 'create-key',
  method: 'POST',
  path: '/api/v1/keys',
  permission: 'keys.write',
  summary: 'Makes an API key. The answer is the only place where it can be read.',
  body: {
    schema: z
      .strictObject({
        ...rights,
        description: z.string().max(200).default(''),
        expiresAt: z.iso.datetime().optional(),
      })
      .superRefine(checkRights),
  },
  status: 201,
  answer: z.object({ text: z.string(), key: KeyView }),
});

export const deleteKey = route({
  name: 'delete-key',
  method: 'DELETE',
  path: '/api/v1/keys/{key}',
  permission: 'keys.write',
  summary: 'Revokes an API key at once.',
  params: z.object({ key: z.string().regex(/^[a-z0-9]{1,40}$/, 'expected the id of a key') }),
  status: 204,
  answer: z.null(),
});
