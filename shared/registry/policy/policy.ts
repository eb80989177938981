import { z } from 'zod';
import { NamePattern } from '../../model/pattern.ts';
import { TrustRule } from '../trust/trust-rule.ts';

const Days = z.number().positive().max(36_500);

/** What a retention policy keeps of a repository's tags; a tag that any of these keeps stays. */
export const Retention = z
  .strictObject({
    /** Tags that the rule looks at; all if absent. Others are left alone. */
    tags: z.array(NamePattern).min(1).optional(),
    /** The newest so many of them, by their last push. */
    keepLast: z.number().int().nonnegative().optional(),
    /** Those pushed within so many days. */
    keepNewerThanDays: Days.optional(),
    /** Those that match, whatever their age. */
    keepTags: z.array(NamePattern).optional(),
    /** Those whose image a service or a job runs, or may go back to. */
    keepRunning: z.boolean().default(true),
    /** Manifests without a tag, that no index and no subject holds, go after so many days; never if absent. */
    untaggedAfterDays: Days.optional(),
  })
  .refine(
    ({ keepLast, keepNewerThanDays, keepTags, untaggedAfterDays }) =>
      [keepLast, keepNewerThanDays, keepTags, untaggedAfterDays].some((value) => value !== undefined),
    'expected at least one of keepLast, keepNewerThanDays, keepTags and untaggedAfterDays',
  );
export type Retention = z.infer<typeof Retention>;

/**
 * What holds for the repositories that `repositories` matches. Where several policies match one repository, each setting
 * comes from the most specific policy that has it; trust rules add up.
 */
export const RepositoryPolicy = z.strictObject({
  repositories: NamePattern,
  /** Everybody may pull, without a credential. */
  anonymousPull: z.boolean().optional(),
  /** Tags that, once set, point to one digest for good: they are neither moved nor deleted, by anybody. */
  immutableTags: z.array(NamePattern).optional(),
  /** Bytes that the repository's blobs and manifests may come to. */
  quota: z.number().int().positive().optional(),
  retention: z.array(Retention).optional(),
  /** Days that what was deleted can be restored; 7 if no policy says otherwise, 0 for not at all. */
  restorableForDays: z.number().nonnegative().max(365).optional(),
  trust: z.array(TrustRule).optional(),
});
export type RepositoryPolicy = z.infer<typeof RepositoryPolicy>;

/** What holds for one repository. */
export interface EffectivePolicy {
  readonly anonymousPull: boolean;
  readonly immutableTags: readonly NamePattern[];
  readonly quota: number | undefined;
  readonly retention: readonly Retention[];
  readonly restorableForDays: number;
  readonly trust: readonly TrustRule[];
}
