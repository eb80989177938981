import {
  deletePolicy,
  getEffectivePolicy,
  getPolicy,
  listPolicies,
  putPolicy,
} from '../../../shared/api/routes/policies.ts';
import { authoriseOnEvery } from '../../../shared/auth/authorise.ts';
import { mayOnEvery } from '../../../shared/auth/repository-access.ts';
import type { PolicyName } from '../../../shared/model/names.ts';
import { matchingPolicies } from '../../../shared/registry/policy/effective.ts';
import type { RepositoryPolicy } from '../../../shared/registry/policy/policy.ts';
import { type Call, endpoint } from '../endpoint.ts';
import { notFound } from './not-found.ts';

/** The policy, for a caller that administers all that it is about. */
async function policyAt({
  params,
  principal,
  services,
}: Pick<
  Call<{ policy: PolicyName }, unknown, unknown>,
  'params' | 'principal' | 'services'
>): Promise<RepositoryPolicy> {
  const found = await services.policies.get(params.policy);
  if (found === undefined) throw notFound('policy', params.policy, 'List them: berth registry policy list');
  authoriseOnEvery(principal, found.repositories, 'admin');
  return found;
}

export const list = endpoint(listPolicies, async ({ principal, services }) => ({
  policies: (await services.policies.list()).filter(({ policy }) =>
    mayOnEvery(principal, policy.repositories, 'admin'),
  ),
}));

export const get = endpoint(getPolicy, policyAt);

export const put = endpoint(putPolicy, async ({ params, body, principal, services }) => {
  authoriseOnEvery(principal, body.repositories, 'admin');
  // Who sets a policy anew also ends what it said of other repositories.
  const before = await services.policies.get(params.policy);
  if (before !== undefined) authoriseOnEvery(principal, before.repositories, 'admin');
  await services.policies.put(params.policy, body);
  return { name: params.policy, policy: body };
});

export const remove = endpoint(deletePolicy, async (call) => {
  await policyAt(call);
  await call.services.policies.remove(call.params.policy);
  return null;
});

export const effective = endpoint(getEffectivePolicy, async ({ query, services }) => {
  const all = await services.policies.list();
  const { quota, immutableTags, retention, trust, ...rest } = await services.policies.of(query.repository);
  return {
    ...rest,
    ...(quota === undefined ? {} : { quota }),
    immutableTags: [...immutableTags],
    retention: [...retention],
    trust: [...trust],
    policies: matchingPolicies(all, query.repository).map(({ name }) => name),
  };
});
