import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { z } from 'zod';

type LogEntry = Pick<Bundle['verificationMaterial']['tlogEntries'][number], 'canonicalizedBody'>;

const Text = z.string().max(100_000);
const Verifier = z.union([
  z.object({ x509Certificate: z.object({ rawBytes: Text }) }),
  z.object({ publicKey: z.object({ rawBytes: Text }) }),
]);
const one = <T extends z.ZodType>(item: T) => z.tuple([item]);

/** The part of an entry's body that names who signed; by kind and version, https://github.com/sigstore/rekor/tree/main/pkg/types */
const Body = z.union([
  z
    .object({
      kind: z.literal('hashedrekord'),
      apiVersion: z.literal('0.0.1'),
      spec: z.object({ signature: z.object({ publicKey: z.object({ content: Text }) }) }),
    })
    .transform(({ spec }) => pem(spec.signature.publicKey.content)),
  z
    .object({
      kind: z.literal('dsse'),
      apiVersion: z.literal('0.0.1'),
      spec: z.object({ signatures: one(z.object({ verifier: Text })) }),
    })
    .transform(({ spec }) => pem(spec.signatures[0].verifier)),
  z
    .object({
      kind: z.literal('intoto'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({
        content: z.object({ envelope: z.object({ signatures: one(z.object({ publicKey: Text })) }) }),
      }),
    })
    .transform(({ spec }) => pem(spec.content.envelope.signatures[0].publicKey)),
  z
    .object({
      kind: z.literal('hashedrekord'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({ hashedRekordV002: z.object({ signature: z.object({ verifier: Verifier }) }) }),
    })
    .transform(({ spec }) => der(spec.hashedRekordV002.signature.verifier)),
  z
    .object({
      kind: z.literal('dsse'),
      apiVersion: z.literal('0.0.2'),
      spec: z.object({ dsseV002: z.object({ signatures: one(z.object({ verifier: Verifier })) }) }),
    })
    .transform(({ spec }) => der(spec.dsseV002.signatures[0].verifier)),
]);

type Named = X509Certificate | KeyObject;

function pem(base64: string): Named {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return text.includes('-----BEGIN CERTIFICATE-----') ? new X509Certificate(text) : createPublicKey(text);
}

function der(verifier: z.infer<typeof Verifier>): Named {
  return 'publicKey' in verifier
    ? createPublicKey({
        key: Buffer.from(verifier.publicKey.rawBytes, 'base64'),
        format: 'der',
        type: 'spki',
      })
    : new X509Certificate(Buffer.from(verifier.x509Certificate.rawBytes, 'base64'));
}

/**
 * Whether an entry of a transparency log names this certificate, or this key, as the one who signed. Without it, an entry
 * that somebody else made of the same signature would give the time at which a certificate counts.
 */
export function isEntryOf(entry: LogEntry, signer: X509Certificate | KeyObject): boolean {
  try {
    const named = Body.parse(JSON.parse(entry.canonicalizedBody.toString('utf8')));
    return named instanceof X509Certificate
      ? signer instanceof X509Certificate && named.raw.equals(signer.raw)
      : !(signer instanceof X509Certificate) && named.equals(signer);
  } catch {
    return false;
  }
}
