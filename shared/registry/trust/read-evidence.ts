import { createHash } from 'node:crypto';
import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { z } from 'zod';
import { refuseOversized } from './bounds.ts';
import { bundleOfEnvelope, bundleOfPayload } from './cosign-annotations.ts';
import type { Claim, Document, Evidence, Origin, Subject } from './evidence.ts';
import { claimOfEnvelope } from './statement.ts';

/** What cosign signs of an image. */
const SimpleSigning = z.object({
  critical: z.object({
    type: z.literal('cosign container image signature'),
    image: z.object({ 'docker-manifest-digest': z.string() }),
  }),
});

const HASHES: Readonly<Record<number, string>> = {
  [HashAlgorithm.SHA2_256]: 'sha256',
  [HashAlgorithm.SHA2_384]: 'sha384',
  [HashAlgorithm.SHA2_512]: 'sha512',
};

/** Media types of layers that are evidence, and the form that each is. */
export const evidenceForms: Readonly<Record<string, Origin['form']>> = {
  'application/vnd.dev.cosign.simplesigning.v1+json': 'cosign signature',
  'application/vnd.dsse.envelope.v1+json': 'cosign attestation',
  'application/vnd.dev.sigstore.bundle.v0.3+json': 'Sigstore bundle',
  'application/vnd.dev.sigstore.bundle+json;version=0.1': 'Sigstore bundle',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': 'Sigstore bundle',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': 'Sigstore bundle',
};

/** Reads what a layer holds, by its form; what it says is not yet verified. */
export function readEvidence(
  origin: Origin,
  bytes: Uint8Array,
  annotations: Readonly<Record<string, string>>,
  subject: Subject,
): Evidence {
  try {
    const document = documentOf(origin, bytes, annotations, subject);
    refuseOversized(document.bundle);
    return { origin, ...document };
  } catch (error) {
    return { origin, fault: error instanceof Error ? error.message : String(error) };
  }
}

function documentOf(
  { form }: Origin,
  bytes: Uint8Array,
  annotations: Readonly<Record<string, string>>,
  subject: Subject,
): Omit<Document, 'origin'> {
  switch (form) {
    case 'cosign signature': {
      const claim = claimOfPayload(parse(bytes));
      return { claim, bundle: bundleOfPayload(bytes, annotations), message: bytes };
    }
    case 'cosign attestation': {
      const bundle = bundleOfEnvelope(parse(bytes), annotations);
      // cosign has all that it pushes timestamped here, not the signature in it.
      return { claim: claimOfBundle(bundle, subject), bundle, message: undefined, stamped: bytes };
    }
    case 'Sigstore bundle': {
      const bundle: Bundle = bundleFromJSON(parse(bytes));
      const claim = claimOfBundle(bundle, subject);
      const message = bundle.content.$case === 'messageSignature' ? subject.manifest : undefined;
      return { claim, bundle, message };
    }
  }
}

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Error('it is no JSON');
  }
};

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, "Simple Signing". */
function claimOfPayload(payload: unknown): Claim {
  const parsed = SimpleSigning.safeParse(payload);
  if (!parsed.success) throw new Error('its payload is not what cosign signs of an image');
  return { kind: 'signature', digests: [parsed.data.critical.image['docker-manifest-digest']] };
}

function claimOfBundle(bundle: Bundle, subject: Subject): Claim {
  if (bundle.content.$case === 'dsseEnvelope') return claimOfEnvelope(bundle.content.dsseEnvelope);
  // The signature is over the manifest itself: what it is about is the image whose manifest has the digest that it names.
  const { algorithm, digest } = bundle.content.messageSignature.messageDigest;
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new Error(`its digest is by an algorithm that is not known (${algorithm})`);
  const isManifest = createHash(hash).update(subject.manifest).digest().equals(digest);
  return {
    kind: 'signature',
    digests: [isManifest ? subject.digest : `${hash}:${digest.toString('hex')}`],
  };
}
