import { z } from 'zod';
import { RepositoryName } from '../../model/image.ts';
import { PolicyName } from '../../model/names.ts';
import { NamePattern } from '../../model/pattern.ts';
import { parsePolicy } from '../../registry/policy/parse-policy.ts';
import { RepositoryPolicy, Retention } from '../../registry/policy/policy.ts';
import { TrustRule } from '../../registry/trust/trust-rule.ts';
import { route } from '../route.ts';

const list = '/api/v1/registry/policies' as const;
const one = `${list}/{policy}` as const;
const params = z.object({ policy: PolicyName });

const NamedPolicy = z.object({ name: PolicyName, policy: RepositoryPolicy });

export const listPolicies = route({
  name: 'list-policies',
  method: 'GET',
  path: list,
  permission: 'images.admin',
  mindsGrants: true,
  summary: 'The policies of repositories that the caller administers, by name.',
  answer: z.object({ policies: z.array(NamedPolicy) }),
});

export const getPolicy = route({
  name: 'get-policy',
  method: 'GET',
  path: one,
  permission: 'images.admin',
  mindsGrants: true,
  summary: 'A policy as it was set last.',
  params,
  answer: RepositoryPolicy,
});

export const putPolicy = route({
  name: 'put-policy',
  method: 'PUT',
  path: one,
  permission: 'images.admin',
  mindsGrants: true,
  summary: 'Sets a policy. JSON, or a policy.yaml. It holds everywhere within a few seconds.',
  params,
  body: { schema: RepositoryPolicy, text: { type: 'application/yaml', parse: parsePolicy } },
  answer: NamedPolicy,
});

export const deletePolicy = route({
  name: 'delete-policy',
  method: 'DELETE',
  path: one,
  permission: 'images.admin',
  mindsGrants: true,
  summary: 'Removes a policy: other policies, and what holds without one, take its place.',
  params,
  status: 204,
  answer: z.null(),
});

export const getEffectivePolicy = route({
  name: 'get-effective-policy',
  method: 'GET',
  path: '/api/v1/registry/effective-policy',
  permission: 'images.pull',
  summary: 'What all policies together say of one repository, which need not exist yet.',
  query: z.strictObject({ repository: RepositoryName }),
  answer: z.object({
    anonymousPull: z.boolean(),
    immutableTags: z.array(NamePattern),
    /** Bytes; absent: no limit. */
    quota: z.number().optional(),
    retention: z.array(Retention),
    restorableForDays: z.number(),
    trust: z.array(TrustRule),
    /** Names of the policies that match it, the most specific first. */
    policies: z.array(PolicyName),
  }),
});
