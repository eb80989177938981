import 'reflect-metadata';
import { Pkcs10CertificateRequest, type PublicKey, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { Terminal } from '../model/errors.ts';

/** RFC 5280, 4.2.1.6 */
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/**
 * A certificate request whose signature is of its key.
 * @param pem PKCS #10 (RFC 2986)
 * @throws Terminal `csr-invalid`, `csr-key-refused`
 */
export async function verifiedRequest(pem: string): Promise<Pkcs10CertificateRequest> {
  let cause: unknown;
  try {
    const request = new Pkcs10CertificateRequest(pem);
    if (await request.verify()) {
      requireEcdsa(request.publicKey);
      return request;
    }
  } catch (error) {
    if (error instanceof Terminal) throw error;
    cause = error;
  }
  throw new Terminal({
    code: 'csr-invalid',
    message: 'The certificate request cannot be read, or its signature is not of its key.',
    remedy: 'Send a PKCS #10 request in PEM, as "openssl req -new" writes it.',
    cause,
  });
}

/** @throws Terminal `csr-key-refused` */
export function requireEcdsa({ algorithm }: PublicKey): void {
  const { name, namedCurve } = algorithm as { name: string; namedCurve?: string };
  if (name === 'ECDSA' && ['P-256', 'P-384'].includes(namedCurve ?? '')) return;
  throw new Terminal({
    code: 'csr-key-refused',
    message: `The request's key is ${name} ${namedCurve ?? ''}; expected ECDSA P-256 or P-384.`,
    remedy: 'Make the key with "openssl ecparam -name prime256v1 -genkey".',
  });
}

/** Common name and alternative names of every kind. */
export function namesOf(request: Pkcs10CertificateRequest): string[] {
  const alternative = request.extensions.filter(({ type }) => type === SUBJECT_ALTERNATIVE_NAME);
  return [
    ...request.subjectName.getField('CN'),
    ...alternative.flatMap(({ rawData }) =>
      new SubjectAlternativeNameExtension(rawData).names.items.map(({ value }) => value),
    ),
  ];
}
