import { createPublicKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';

const readable = (read: (der: Buffer) => unknown) => (text: string) => {
  try {
    read(Buffer.from(text, 'base64'));
    return true;
  } catch {
    return false;
  }
};
const isKey = readable((key) => {
  try {
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return createPublicKey({ key, format: 'der', type: 'pkcs1' });
  }
});

const Validity = z.looseObject({
  start: z.iso.datetime({ offset: true }),
  end: z.iso.datetime({ offset: true }).nullish(),
});
const Log = z.looseObject({
  publicKey: z.looseObject({
    rawBytes: z.base64().refine(isKey, 'expected a public key as DER in base64'),
    /** A log that trusts its key for all time past would take entries from before it existed. */
    validFor: Validity,
  }),
});
const Authority = z.looseObject({
  certChain: z.looseObject({
    certificates: z
      .array(
        z.looseObject({
          rawBytes: z.base64().refine(
            readable((der) => new X509Certificate(der)),
            'expected a certificate as DER in base64',
          ),
        }),
      )
      .min(1),
  }),
});

/**
 * What keyless signatures are verified with: certificate authorities, transparency logs, certificate logs and timestamp
 * authorities, as Sigstore's `trusted_root.json` has them (sigstore/protobuf-specs, `sigstore_trustroot.proto`).
 */
export const TrustedRootDocument = z.looseObject({
  mediaType: z
    .string()
    .regex(
      /^application\/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.1|\.v0\.\d+\+json)$/,
      'expected the trusted_root.json of a Sigstore instance',
    ),
  tlogs: z.array(Log).default([]),
  certificateAuthorities: z.array(Authority).default([]),
  ctlogs: z.array(Log).default([]),
  timestampAuthorities: z.array(Authority).default([]),
});
export type TrustedRootDocument = z.infer<typeof TrustedRootDocument>;
