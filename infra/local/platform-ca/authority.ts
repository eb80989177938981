import 'reflect-metadata';
import { createPrivateKey, X509Certificate as NodeCertificate, type webcrypto } from 'node:crypto';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ecdsa, generateKeys, importPrivateKey, privateKeyPem } from './keys.ts';
import { readIfThere, writePrivateFile } from './private-file.ts';

export interface PlatformCa {
  /** PEM file to trust: `NODE_EXTRA_CA_CERTS`, a machine's /usr/local/share/ca-certificates, docker's certs.d. */
  readonly certificateFile: string;
  /** The same, as text. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

const YEAR = 365 * 24 * 3600_000;

/**
 * The authority kept in a folder; made if there is none, if its halves do not fit, or if it ends within a year. A new
 * one makes every certificate of the old one worthless: `issueServerCertificate` then issues anew.
 * The certificate and the key (PKCS #8) are PEM files of mode 0600. RFC 5280, section 4.2.1.
 */
export async function ensurePlatformCa(directory: string): Promise<PlatformCa> {
  const certificateFile = join(directory, 'ca.pem');
  const keyFile = join(directory, 'ca.key.pem');
  const [certificatePem, keyPem] = await Promise.all([readIfThere(certificateFile), readIfThere(keyFile)]);
  if (certificatePem !== undefined && keyPem !== undefined && isUsable(certificatePem, keyPem))
    return {
      certificateFile,
      certificatePem,
      certificate: new X509Certificate(certificatePem),
      privateKey: await importPrivateKey(keyPem),
    };

  const keys = await generateKeys();
  const certificate = await selfSigned(keys);
  // The key first: a certificate without its key is made anew, but must never be trusted meanwhile.
  await writePrivateFile(keyFile, await privateKeyPem(keys));
  const pem = `${certificate.toString('pem')}\n`;
  await writePrivateFile(certificateFile, pem);
  return { certificateFile, certificatePem: pem, certificate, privateKey: keys.privateKey };
}

async function selfSigned(keys: webcrypto.CryptoKeyPair): Promise<X509Certificate> {
  // An hour back: a machine's clock may lag.
  const notBefore = new Date(Date.now() - 3600_000);
  return await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Berth local data centre',
    notBefore,
    notAfter: new Date(notBefore.getTime() + 10 * YEAR),
    signingAlgorithm: ecdsa,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

function isUsable(certificatePem: string, keyPem: string): boolean {
  try {
    const certificate = new NodeCertificate(certificatePem);
    return (
      certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
      Date.parse(certificate.validTo) - Date.now() > YEAR
    );
  } catch {
    return false;
  }
}
