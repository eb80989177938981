import { createHash } from 'node:crypto';
import type { Digest, RepositoryName } from '../../model/image.ts';
import type { EnvironmentName } from '../../model/names.ts';
import type { ImageTrust } from '../../workloads/image-trust.ts';
import { readManifest } from '../content.ts';
import type { Policies } from '../policy/policy-store.ts';
import type { EvidenceParts } from './collect-evidence.ts';
import { subjectOfTag } from './evidence-places.ts';
import type { Collected, Judgement } from './judge.ts';
import type { TrustRule } from './trust-rule.ts';

/** What the registry says of images, beside the verdict: what was found, under any rules. */
export interface RegistryTrust extends ImageTrust {
  examine(
    repository: RepositoryName,
    digest: Digest,
    rules: readonly TrustRule[],
  ): Promise<Judgement & Pick<Collected, 'unread'>>;
}

/** Asks the policies, and reads what refers to the image only where they demand anything. */
export function imageTrust({
  policies,
  ...parts
}: EvidenceParts & { readonly policies: Policies }): RegistryTrust {
  const rulesOf = async (
    repository: RepositoryName,
    environment: EnvironmentName,
  ): Promise<readonly TrustRule[]> => rulesIn((await policies.of(repository)).trust, environment);
  return {
    async judge(repository, digest, environment) {
      const rules = await rulesOf(repository, environment);
      const named = { rules: nameOf(rules) };
      if (rules.length === 0) return { verdict: 'accepted', ...named };
      return { ...(await examineImage(parts, repository, digest, rules)).verdict, ...named };
    },
    examine: (repository, digest, rules) => examineImage(parts, repository, digest, rules),
    rules: async (repository, environment) => nameOf(await rulesOf(repository, environment)),
    async subjectOf({ repository, tag, subject }) {
      const { trust } = await policies.of(repository);
      return trust.length === 0 ? undefined : (subject ?? (tag && subjectOfTag(tag)));
    },
  };
}

/** Judges an image by what refers to it in its repository. */
async function examineImage(
  parts: EvidenceParts,
  repository: RepositoryName,
  digest: Digest,
  rules: readonly TrustRule[],
): Promise<Judgement & Pick<Collected, 'unread'>> {
  const manifest = await readManifest(parts.blobs, digest);
  if (manifest === undefined) {
    const reasons = [`The registry has no manifest ${digest}.`];
    return { verdict: { verdict: 'refused', reasons }, findings: [], unread: [] };
  }
  // Loaded where it is needed: most instances never are, and should not start later for it.
  const [{ collectEvidence }, { judge }] = await Promise.all([
    import('./collect-evidence.ts'),
    import('./judge.ts'),
  ]);
  const collected = await collectEvidence(parts, repository, { digest, manifest });
  return { ...judge(rules, digest, collected), unread: collected.unread };
}

/** Rules that hold in an environment. */
export const rulesIn = (rules: readonly TrustRule[], environment: EnvironmentName): readonly TrustRule[] =>
  rules.filter(({ environments }) => environments === undefined || environments.includes(environment));

const nameOf = (rules: readonly TrustRule[]): string =>
  rules.length === 0 ? '' : createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 16);
