import { z } from 'zod';
import { RepositoryName } from '../../model/image.ts';
import { NamePattern } from '../../model/pattern.ts';
import { RegistryAddress, RegistryCredential } from '../../model/registry-address.ts';
import { SubscriptionName } from '../../model/subscription.ts';
import { route } from '../route.ts';

const list = '/api/v1/registry/replications' as const;
const one = `${list}/{replication}` as const;
const params = z.object({ replication: SubscriptionName });

/** What a user says of a replication. */
const ReplicationSpec = z.strictObject({
  /** Of our repositories. */
  repositories: z.array(NamePattern).min(1).max(50),
  registry: RegistryAddress,
  /** What they lie below there; nothing if left out. */
  path: RepositoryName.optional(),
  /** What is deleted here is deleted there, where it still means the same. */
  deletes: z.boolean().default(false),
});

const ReplicationView = ReplicationSpec.extend({
  name: SubscriptionName,
  createdAt: z.iso.datetime(),
});
export type ReplicationView = z.infer<typeof ReplicationView>;

export const listReplications = route({
  name: 'list-replications',
  method: 'GET',
  path: list,
  permission: 'images.admin',
  summary: 'Which repositories are kept alike in which other registries.',
  answer: z.object({ replications: z.array(ReplicationView) }),
});

export const getReplication = route({
  name: 'get-replication',
  method: 'GET',
  path: one,
  permission: 'images.admin',
  summary: 'A replication, with what waits for it and what was given up.',
  params,
  answer: z.object({
    replication: ReplicationView,
    /** Of each repository that is not alike yet: since when the first event waits, and what its last attempt came to. */
    waiting: z.array(
      z.object({
        repository: z.string(),
        since: z.string(),
        failures: z.number(),
        lastFailure: z.string().optional(),
      }),
    ),
    /** Events that were given up: berth registry subscriptions dead-letters. */
    deadLetters: z.number(),
  }),
});

export const putReplication = route({
  name: 'put-replication',
  method: 'PUT',
  path: one,
  permission: 'images.admin',
  summary: 'Makes or changes a replication: pushes from now on are done in the other registry too.',
  params,
  body: {
    schema: ReplicationSpec.extend({
      /** Sealed, and never told again. Left out: it stays as it is; null: there is none any more. */
      credential: RegistryCredential.nullable().optional(),
    }),
  },
  answer: ReplicationView,
});

export const deleteReplication = route({
  name: 'delete-replication',
  method: 'DELETE',
  path: one,
  permission: 'images.admin',
  summary: 'Removes a replication and its credential. What is in the other registry stays.',
  params,
  status: 204,
  answer: z.null(),
});

export const syncReplication = route({
  name: 'sync-replication',
  method: 'POST',
  path: `${one}/sync`,
  permission: 'images.admin',
  summary: 'Has every tag, and what refers to an image, compared with the other registry and brought there.',
  params,
  status: 202,
  answer: z.object({ repositories: z.array(RepositoryName), events: z.number() }),
});

export const testReplication = route({
  name: 'test-replication',
  method: 'POST',
  path: `${one}/test`,
  permission: 'images.admin',
  summary: 'Asks the other registry, with the credential, for nothing.',
  params,
  answer: z.object({ accepted: z.boolean(), answer: z.string() }),
});
