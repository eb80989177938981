import type { RepositoryName } from '../../model/image.ts';
import { matchesPattern, moreSpecificFirst } from '../../model/pattern.ts';
import type { EffectivePolicy, RepositoryPolicy } from './policy.ts';

const RESTORABLE_DAYS = 7;

/** The policies that match a repository, the most specific first. */
export const matchingPolicies = <T extends { readonly policy: RepositoryPolicy }>(
  policies: readonly T[],
  repository: RepositoryName,
): T[] =>
  policies
    .filter(({ policy }) => matchesPattern(policy.repositories, repository))
    .sort((a, b) => moreSpecificFirst(a.policy.repositories, b.policy.repositories));

/** What all policies together say of one repository. */
export function effectivePolicy(
  policies: readonly RepositoryPolicy[],
  repository: RepositoryName,
): EffectivePolicy {
  const matching = matchingPolicies(
    policies.map((policy) => ({ policy })),
    repository,
  ).map(({ policy }) => policy);
  const first = <K extends keyof RepositoryPolicy>(key: K): RepositoryPolicy[K] | undefined =>
    matching.find((policy) => policy[key] !== undefined)?.[key];
  return {
    anonymousPull: first('anonymousPull') ?? false,
    immutableTags: first('immutableTags') ?? [],
    quota: first('quota'),
    retention: first('retention') ?? [],
    restorableForDays: first('restorableForDays') ?? RESTORABLE_DAYS,
    trust: matching.flatMap(({ trust }) => trust ?? []),
  };
}
