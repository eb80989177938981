import { createHash, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
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

/** Clients of Sigstore sign over SHA-256, or over the hash that fits the curve. */
function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.asymmetricKeyType === 'ed25519')
      return verify(null, bytes, key, signature) || isPrehashedBy(key, bytes, signature);
    return hashesOf(key).some((hash) => verify(hash, bytes, key, signature));
  } catch {
    // What cannot be a signature of such a key at all.
    return false;
  }
}

/** Ed25519ph, RFC 8032, 5.1: what cosign signs with such keys, and node:crypto does not know. */
function isPrehashedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  const { x } = key.export({ format: 'jwk' });
  return (
    x !== undefined &&
    ed25519ph.verify(Uint8Array.from(signature), bytes, Uint8Array.from(Buffer.from(x, 'base64url')), {
      zip215: false,
    })
  );
}

function hashesOf(key: KeyObject): readonly string[] {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return ['sha256', ...(curve === 'secp384r1' ? ['sha384'] : curve === 'secp521r1' ? ['sha512'] : [])];
}
