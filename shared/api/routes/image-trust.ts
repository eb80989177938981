import { z } from 'zod';
import { Digest, RepositoryName, Tag } from '../../model/image.ts';
import { EnvironmentName } from '../../model/names.ts';
import { TrustRule } from '../../registry/trust/trust-rule.ts';
import { reference } from '../parameters.ts';
import { route } from '../route.ts';

/** One signature or attestation that was found, and for whom it counts. */
const Finding = z.object({
  form: z.enum(['cosign signature', 'cosign attestation', 'Sigstore bundle']),
  manifest: Digest,
  /** The tag that led there; absent for what names the image as its subject. */
  tag: Tag.optional(),
  /** What it says it is; absent if it cannot be read. */
  kind: z.enum(['signature', 'attestation']).optional(),
  predicateType: z.string().optional(),
  /** Why it counts for nobody; absent if it may count. */
  fault: z.string().optional(),
  /** The signers that are asked for, with why it is not by them; without `why`, it is. */
  by: z.array(z.object({ signer: z.string(), why: z.string().optional() })),
});

export const ImageVerification = z.object({
  repository: RepositoryName,
  digest: Digest,
  /** How many rules were asked; 0: nothing is demanded. */
  rules: z.number().int(),
  verdict: z.enum(['accepted', 'refused']),
  /** What is missing, one sentence each. */
  reasons: z.array(z.string()),
  findings: z.array(Finding),
  /** What was not looked at, and why. */
  unread: z.array(z.string()),
});
export type ImageVerification = z.infer<typeof ImageVerification>;

export const verifyImage = route({
  name: 'verify-image',
  method: 'POST',
  path: '/api/v1/images/verification',
  permission: 'images.pull',
  summary:
    'Whether an image would be accepted for deployment: its signatures and attestations, what counts, and why not.',
  body: {
    schema: z.strictObject({
      repository: RepositoryName,
      reference,
      /** Of the policies, the rules that hold in this environment are asked. */
      environment: EnvironmentName,
      /** Asked instead of the policies. */
      rules: z.array(TrustRule).min(1).max(20).optional(),
    }),
  },
  answer: ImageVerification,
});
