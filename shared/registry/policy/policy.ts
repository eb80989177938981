import { z } from 'zod';
import { NamePattern } from '../../model/pattern.ts';

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

/** A signer whose signatures count: a public key, or a keyless identity with the issuer of its certificate. */
export const Signer = z.union([
  z.strictObject({ publicKey: z.string().includes('-----BEGIN PUBLIC KEY-----') }),
  z.strictObject({
    /** The whole subject alternative name of the certificate, or with `identityPattern` a pattern of it. */
    identity: z.string().min(1).optional(),
    identityPattern: z.string().min(1).optional(),
    issuer: z.url(),
  }),
]);
export type Signer = z.infer<typeof Signer>;

/** What must be true of an image before it is deployed. */
export const TrustRule = z.strictObject({
  /** Environments that demand it; all if absent. */
  environments: z.array(z.string()).min(1).optional(),
  /** One signature by any of these is enough. */
  signedBy: z.array(Signer).min(1),
  /** Attestations that must be there, by one of the signers: `sbom`, `provenance`, or a predicate type in full. */
  attestations: z.array(z.union([z.enum(['sbom', 'provenance']), z.url()])).default([]),
});
export type TrustRule = z.infer<typeof TrustRule>;

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
