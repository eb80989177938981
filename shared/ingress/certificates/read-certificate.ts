import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Terminal } from '../../model/errors.ts';
import type { CertificateRecord } from './certificate-store.ts';

/** Names of certificates by ACME begin so; none that somebody gives does. */
export const ACME_PREFIX = 'acme-';

/**
 * What a certificate says, once it and its key are what they should be.
 * @param chain PEM: the host's own first, then those that signed it
 * @returns the record, and the text that proxies read
 * @throws Terminal `certificate-invalid`, which tells nothing of the key
 */
export function readCertificate(
  name: string,
  chain: string,
  key: string,
  now: Date,
): { readonly record: CertificateRecord; readonly pem: string } {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const [first] = blocks.map((block) =>
    parsed(name, () => new X509Certificate(block), 'a certificate in it cannot be read'),
  );
  if (first === undefined) throw invalid(name, 'it has no block "BEGIN CERTIFICATE"');
  const secret = parsed(
    name,
    () => createPrivateKey(key),
    'its key cannot be read: expected an unencrypted private key in PEM',
  );
  if (!first.checkPrivateKey(secret)) throw invalid(name, 'the key is not that of the first certificate');
  const notAfter = new Date(first.validTo);
  if (notAfter <= now) throw invalid(name, `it expired at ${notAfter.toISOString()}`);
  const hosts = [...(first.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].flatMap(([, host]) =>
    host === undefined ? [] : [host.toLowerCase()],
  );
  if (hosts.length === 0)
    throw invalid(name, 'it names no host: expected a DNS name among its subject alternative names');
  const record: CertificateRecord = {
    name,
    hosts,
    fingerprint: first.fingerprint256.replaceAll(':', '').toLowerCase(),
    issuer: first.issuer.split('\n').at(-1) ?? first.issuer,
    notBefore: new Date(first.validFrom).toISOString(),
    notAfter: notAfter.toISOString(),
  };
  return { record, pem: `${[...blocks, key.trim()].join('\n')}\n` };
}

function parsed<T>(name: string, parse: () => T, why: string): T {
  try {
    return parse();
  } catch {
    throw invalid(name, why);
  }
}

const invalid = (name: string, why: string): Terminal =>
  new Terminal({
    code: 'certificate-invalid',
    message: `The certificate ${name} cannot be used: ${why}.`,
    remedy: 'Give the chain as PEM, the host’s certificate first, and its private key.',
  });
