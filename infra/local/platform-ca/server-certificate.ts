import 'reflect-metadata';
import { createPrivateKey, X509Certificate as NodeCertificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { PlatformCa } from './authority.ts';
import { ecdsa, generateKeys, privateKeyPem } from './keys.ts';
import { readIfThere, writePrivateFile } from './private-file.ts';

/** A server's certificate and key: as files for those that read files, as PEM for `tls.createServer`. */
export interface ServerCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;
}

const DAY = 24 * 3600_000;
/** Apple's and the browsers' limit is 398 days. */
const LIFETIME = 397 * DAY;
const RENEW_BEFORE = 30 * DAY;

/**
 * The certificate for a server that answers to all these names, kept as `server.pem` and `server.key.pem` in
 * `directory`: issued anew when the authority or the names change or it ends within 30 days.
 * @param names DNS names and IP addresses, at least one
 */
export async function issueServerCertificate(
  ca: PlatformCa,
  names: readonly string[],
  directory: string,
): Promise<ServerCertificate> {
  const [first] = names;
  if (first === undefined) throw new TypeError('a server certificate needs at least one DNS name or address');
  const certificateFile = join(directory, 'server.pem');
  const keyFile = join(directory, 'server.key.pem');
  const [certificate, key] = await Promise.all([readIfThere(certificateFile), readIfThere(keyFile)]);
  if (certificate !== undefined && key !== undefined && isCurrent(ca, names, certificate, key))
    return { certificateFile, keyFile, certificate, key };

  const keys = await generateKeys();
  const issued = await X509CertificateGenerator.create({
    subject: [{ CN: [first] }],
    issuer: ca.certificate.subjectName.toJSON(),
    notBefore: new Date(Date.now() - 3600_000),
    notAfter: new Date(Date.now() + LIFETIME),
    signingAlgorithm: ecdsa,
    publicKey: keys.publicKey,
    signingKey: ca.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  });
  const pem = `${issued.toString('pem')}\n`;
  const keyPem = await privateKeyPem(keys);
  await writePrivateFile(keyFile, keyPem);
  await writePrivateFile(certificateFile, pem);
  return { certificateFile, keyFile, certificate: pem, key: keyPem };
}

function isCurrent(ca: PlatformCa, names: readonly string[], pem: string, keyPem: string): boolean {
  try {
    const certificate = new NodeCertificate(pem);
    const wanted = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP Address:${name}`));
    return (
      certificate.verify(new NodeCertificate(ca.certificatePem).publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
      certificate.subjectAltName === wanted.join(', ') &&
      Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE
    );
  } catch {
    return false;
  }
}
