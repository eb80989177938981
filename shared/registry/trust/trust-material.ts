import { createPublicKey, type KeyObject } from 'node:crypto';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial, Verifier } from '@sigstore/verify';
import publicGoodRoot from './public-good-root.json' with { type: 'json' };
import type { KeylessSigner, KeySigner } from './trust-rule.ts';
import type { TrustedRootDocument } from './trusted-root.ts';

function materialOf(document: TrustedRootDocument | undefined, key?: KeyObject): TrustMaterial {
  return toTrustMaterial(TrustedRoot.fromJSON(document ?? publicGoodRoot), () => {
    if (key === undefined) throw new Error('it is signed by a key, without a certificate');
    return { publicKey: key, validFor: () => true };
  });
}

/**
 * Demands of a certificate what its root can tell: at least one timestamp, by a log or an authority, always; an entry in a
 * transparency log, and a promise of a certificate log, where the root names any. A root without logs belongs to an instance
 * that has none, such as that of private repositories at GitHub.
 */
export function keylessVerifier({ trustedRoot }: KeylessSigner): Verifier {
  const material = materialOf(trustedRoot);
  return new Verifier(material, {
    timestampThreshold: 1,
    tlogThreshold: material.tlogs.length > 0 ? 1 : 0,
    ctlogThreshold: material.ctlogs.length > 0 ? 1 : 0,
  });
}

/** A key counts at any time, so that its signatures need no timestamp. */
export function keyVerifier({ trustedRoot, publicKey }: KeySigner): Verifier {
  return new Verifier(materialOf(trustedRoot, createPublicKey(publicKey)), {
    timestampThreshold: 0,
    tlogThreshold: 1,
    ctlogThreshold: 0,
  });
}
