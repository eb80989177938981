import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { EnvironmentName } from '../../model/names.ts';
import { TrustedRootDocument } from './trusted-root.ts';

/** Bits below which RSA is not to be relied on any more: NIST SP 800-131A. */
const LEAST_RSA = 2048;

function isPublicKey(text: string): boolean {
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) return false;
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey(text);
    return type === 'rsa' ? (details?.modulusLength ?? 0) >= LEAST_RSA : type === 'ec' || type === 'ed25519';
  } catch {
    return false;
  }
}

/** A public key, as `cosign.pub` has it. */
const KeySigner = z.strictObject({
  publicKey: z
    .string()
    .max(10_000)
    .refine(
      isPublicKey,
      `expected a public key as PEM (-----BEGIN PUBLIC KEY-----), ECDSA, Ed25519 or RSA of ${LEAST_RSA} bits`,
    ),
  /** A signature counts only with its entry in a transparency log of the trusted root. */
  transparencyLog: z.boolean().default(false),
  trustedRoot: TrustedRootDocument.optional(),
});

/** Somebody whom an OpenID Connect issuer knows, by a certificate that was made for one signature. */
const KeylessSigner = z
  .strictObject({
    /** The certificate's whole subject alternative name: an email address, or a URI such as that of a workflow. */
    identity: z.string().min(1).max(2048).optional(),
    /** A pattern of it: `*` stands for any characters but `/`, `**` for any at all. */
    identityPattern: z.string().min(1).max(2048).optional(),
    /** Whole URL of the issuer, as the certificate has it. */
    issuer: z.url(),
    /** `trusted_root.json` of the Sigstore instance; that of the public-good instance if absent. */
    trustedRoot: TrustedRootDocument.optional(),
  })
  .refine(
    ({ identity, identityPattern }) => (identity === undefined) !== (identityPattern === undefined),
    'expected either identity or identityPattern',
  );

/** A signer whose signatures count: a public key, or a keyless identity with the issuer of its certificate. */
export const Signer = z.union([KeySigner, KeylessSigner], {
  // Of both forms' faults, those of the form that is meant.
  error: ({ input, errors }) => {
    const isKey = typeof input === 'object' && input !== null && 'publicKey' in input;
    const faults = (errors as z.core.$ZodIssue[][] | undefined)?.[isKey ? 0 : 1] ?? [];
    return faults.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  },
});
export type Signer = z.infer<typeof Signer>;
export type KeySigner = z.infer<typeof KeySigner>;
export type KeylessSigner = z.infer<typeof KeylessSigner>;

/** What must be true of an image before it is deployed. */
export const TrustRule = z
  .strictObject({
    /** Environments that demand it; all if absent. */
    environments: z.array(EnvironmentName).min(1).optional(),
    /** One by any of these is enough, for the signature and for each attestation. */
    signedBy: z.array(Signer).min(1).max(20),
    /** Whether the image itself must be signed; false where attestations alone are asked for. */
    signature: z.boolean().default(true),
    /** Attestations that must be there: `sbom`, `provenance`, or a predicate type in full. */
    attestations: z.array(z.union([z.enum(['sbom', 'provenance']), z.url()])).default([]),
  })
  .refine(
    ({ signature, attestations }) => signature || attestations.length > 0,
    'expected attestations where no signature is asked for',
  );
export type TrustRule = z.infer<typeof TrustRule>;
