import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { ecdsa, generateKeys, privateKeyPem } from '../../shared/certificates/keys.ts';

/** A certificate that nobody else signed, and its key: PEM. @param days it is good from now on */
export async function selfSigned(
  host: string,
  days = 30,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    keys,
    signingAlgorithm: ecdsa,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + days * 86_400_000),
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}
