import { createHash, createPublicKey } from 'node:crypto';
import type { Signer } from './trust-rule.ts';

/** A signer in a few words: a key by the SHA-256 of its DER form, an identity with its issuer. */
export function signerText(signer: Signer): string {
  if ('publicKey' in signer) {
    const der = createPublicKey(signer.publicKey).export({ type: 'spki', format: 'der' });
    const logged = signer.transparencyLog ? ', with an entry in the log' : '';
    return `the key ${createHash('sha256').update(der).digest('hex').slice(0, 16)}${logged}`;
  }
  return `${(signer.identity ?? signer.identityPattern)?.slice(0, 300)} (issuer ${signer.issuer.slice(0, 300)})`;
}
