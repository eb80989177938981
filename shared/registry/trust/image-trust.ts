import { createHash } from 'node:crypto';
import type { RepositoryName } from '../../model/image.ts';
import type { Blobs } from '../../state/blobs.ts';
import type { Tables } from '../../state/tables.ts';
import type { ImageTrust } from '../../workloads/image-trust.ts';
import { readManifest } from '../content.ts';
import type { Policies } from '../policy/policy-store.ts';
import { collectEvidence, subjectOfTag } from './collect-evidence.ts';
import { judge } from './judge.ts';
import type { TrustRule } from './trust-rule.ts';

/** Asks the policies, and reads what refers to the image only where they demand anything. */
export function imageTrust({
  tables,
  blobs,
  policies,
}: {
  readonly tables: Tables;
  readonly blobs: Blobs;
  readonly policies: Policies;
}): ImageTrust {
  const rulesOf = async (repository: RepositoryName, environment: string): Promise<readonly TrustRule[]> =>
    rulesIn((await policies.of(repository)).trust, environment);
  return {
    async judge(repository, digest, environment) {
      const rules = await rulesOf(repository, environment);
      const named = { rules: nameOf(rules) };
      if (rules.length === 0) return { verdict: 'accepted', ...named };
      const manifest = await readManifest(blobs, digest);
      if (manifest === undefined)
        return { verdict: 'refused', reasons: [`The registry has no manifest ${digest}.`], ...named };
      const collected = await collectEvidence({ tables, blobs }, repository, { digest, manifest });
      return { ...judge(rules, digest, collected).verdict, ...named };
    },
    rules: async (repository, environment) => nameOf(await rulesOf(repository, environment)),
    async subjectOf({ repository, tag, subject }) {
      const { trust } = await policies.of(repository);
      return trust.length === 0 ? undefined : (subject ?? (tag && subjectOfTag(tag)));
    },
  };
}

/** Rules that hold in an environment. */
export const rulesIn = (rules: readonly TrustRule[], environment: string): readonly TrustRule[] =>
  rules.filter(({ environments }) => environments === undefined || environments.includes(environment));

const nameOf = (rules: readonly TrustRule[]): string =>
  rules.length === 0 ? '' : createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 16);
