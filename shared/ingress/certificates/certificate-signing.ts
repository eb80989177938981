import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { ecdsa, generateKeys, privateKeyPem } from '../../certificates/keys.ts';

/** A key of its own for each certificate, PKCS #8 PEM. */
export const newKey = async (): Promise<string> => await privateKeyPem((await generateKeys()).privateKey);

/** A new key, and the request for a certificate of one host: DER, base64url. RFC 2986. */
export async function newRequest(host: string): Promise<{ readonly key: string; readonly csr: string }> {
  const keys = await generateKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ecdsa,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  return {
    key: await privateKeyPem(keys.privateKey),
    csr: Buffer.from(request.rawData).toString('base64url'),
  };
}
