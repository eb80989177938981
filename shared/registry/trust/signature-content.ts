import { createHash, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { Envelope } from '@sigstore/bundle';
import type { SignedEntity } from '@sigstore/verify';

/** A signature with what it signs, as Sigstore's verifier asks about them. */
export type SignatureContent = SignedEntity['signature'];

/** A signature over these bytes. */
export const signatureOverBytes = (bytes: Uint8Array, signature: Buffer): SignatureContent => ({
  signature,
  compareSignature: (other) => same(other, signature),
  compareDigest: (digest) => isDigestOf(digest, bytes),
  compareSignedDigest: (digest) => isDigestOf(digest, bytes),
  verifySignature: (key) => isSignedBy(key, bytes, signature),
});

/** An envelope with one signature: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
export function signatureOverEnvelope({ payloadType, payload, signatures }: Envelope): SignatureContent {
  const signature = signatures[0]?.sig ?? Buffer.alloc(0);
  const type = Buffer.from(payloadType);
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
  return {
    signature,
    compareSignature: (other) => same(other, signature),
    // Logs of version 1 record the payload's digest, those of version 2 that of all that is signed.
    compareDigest: (digest) => isDigestOf(digest, payload),
    compareSignedDigest: (digest) => isDigestOf(digest, signed),
    verifySignature: (key) => isSignedBy(key, signed, signature),
  };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

const HASHES: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

function isDigestOf(digest: Uint8Array, bytes: Uint8Array): boolean {
  const hash = HASHES[digest.length];
  return hash !== undefined && same(createHash(hash).update(bytes).digest(), digest);
}

/** cosign signs over SHA-256 with every key but Ed25519; Sigstore's later clients take the hash that fits the curve. */
function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return hashesOf(key).some((hash) => {
    try {
      return verify(hash, bytes, key, signature);
    } catch {
      return false;
    }
  });
}

function hashesOf(key: KeyObject): readonly (string | null)[] {
  if (key.asymmetricKeyType === 'ed25519') return [null];
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return ['sha256', ...(curve === 'secp384r1' ? ['sha384'] : curve === 'secp521r1' ? ['sha512'] : [])];
}
