import { createPublicKey, X509Certificate } from 'node:crypto';
import { type SignedEntity, toSignedEntity } from '@sigstore/verify';
import type { Document } from './evidence.ts';
import { matchesIdentity } from './identity-pattern.ts';
import { isEntryOf } from './log-entry.ts';
import { type SignatureContent, signatureOverBytes, signatureOverEnvelope } from './signature-content.ts';
import { keylessVerifier, keyVerifier } from './trust-material.ts';
import type { KeylessSigner, KeySigner, Signer } from './trust-rule.ts';

/** Extended key usage of certificates that sign code: RFC 5280, 4.2.1.12. */
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** Why a document is not by a signer; undefined if it is. */
export function whyNotBy(signer: Signer, document: Document): string | undefined {
  try {
    return 'publicKey' in signer ? whyNotByKey(signer, document) : whyNotByIdentity(signer, document);
  } catch (error) {
    return reasonOf(error);
  }
}

function whyNotByKey(signer: KeySigner, document: Document): string | undefined {
  const key = createPublicKey(signer.publicKey);
  const signature = contentOf(document);
  if (!signature.verifySignature(key)) return 'the signature is not by this key';
  if (!signer.transparencyLog) return undefined;
  const { tlogEntries } = document.bundle.verificationMaterial;
  if (!tlogEntries.every((entry) => isEntryOf(entry, key))) return 'its log entry is of another key';
  const entity: SignedEntity = {
    signature,
    key: { $case: 'public-key', hint: '' },
    tlogEntries,
    timestamps: [],
  };
  keyVerifier(signer).verify(entity);
  return undefined;
}

function whyNotByIdentity(signer: KeylessSigner, document: Document): string | undefined {
  const der = certificateOf(document);
  if (der === undefined) return 'it is signed by a key, without a certificate';
  const certificate = new X509Certificate(der);
  if (!(certificate.keyUsage ?? []).includes(CODE_SIGNING)) return 'its certificate is not for signing code';
  const { tlogEntries } = document.bundle.verificationMaterial;
  if (!tlogEntries.every((entry) => isEntryOf(entry, certificate)))
    return 'its log entry is of another certificate';
  const entity = { ...toSignedEntity(document.bundle), signature: contentOf(document) };
  const { identity } = keylessVerifier(signer).verify(entity);
  const name = identity?.subjectAlternativeName;
  const issuer = identity?.extensions?.issuer;
  if (name === undefined || !isIdentity(signer, name) || issuer !== signer.issuer)
    return `its certificate is of ${name?.slice(0, 300) ?? 'nobody'}, by issuer ${issuer?.slice(0, 300) ?? 'unknown'}`;
  return undefined;
}

const isIdentity = ({ identity, identityPattern }: KeylessSigner, name: string): boolean =>
  identity === undefined ? matchesIdentity(identityPattern ?? '', name) : name === identity;

function certificateOf({ bundle }: Document): Buffer | undefined {
  const { content } = bundle.verificationMaterial;
  switch (content.$case) {
    case 'certificate':
      return content.certificate.rawBytes;
    case 'x509CertificateChain':
      return content.x509CertificateChain.certificates[0]?.rawBytes;
    case 'publicKey':
      return undefined;
  }
}

function contentOf({ bundle, message, stamped }: Document): SignatureContent {
  const { content } = bundle;
  const signature =
    content.$case === 'dsseEnvelope'
      ? signatureOverEnvelope(content.dsseEnvelope)
      : signatureOverBytes(message ?? new Uint8Array(0), content.messageSignature.signature);
  return stamped === undefined ? signature : { ...signature, signature: Buffer.from(stamped) };
}

/** The verifier wraps what went wrong; the innermost error says most. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || error instanceof TypeError) return 'it is malformed';
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
