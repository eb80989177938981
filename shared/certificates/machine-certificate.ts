import 'reflect-metadata';
import { ExtendedKeyUsage, Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { Terminal } from '../model/errors.ts';
import { type Issued, issue } from './end-entity.ts';
import type { EngineCa } from './engine-ca.ts';
import { MINUTE } from './keys.ts';

/** The machine as it is recorded: its certificate names nothing else. */
export interface ExpectedMachine {
  readonly name: string;
  /** Private address. */
  readonly address: string;
}

/** RFC 5280, 4.2.1.6 */
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const LIFETIME = 90 * 24 * 60 * MINUTE;

/**
 * Signs the server certificate of a machine's engine: its name and address, 90 days, back-dated 5 minutes.
 * @param csrPem PKCS #10 (RFC 2986), made and signed by the machine's own key
 * @throws Terminal `csr-invalid`, `csr-key-refused`, `csr-names-others`
 */
export async function signMachineCertificate(
  ca: EngineCa,
  csrPem: string,
  expected: ExpectedMachine,
  now: Date = new Date(),
): Promise<Issued> {
  const request = await verified(csrPem);
  const algorithm = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (algorithm.name !== 'ECDSA' || !['P-256', 'P-384'].includes(algorithm.namedCurve ?? ''))
    throw new Terminal({
      code: 'csr-key-refused',
      message: `The request's key is ${algorithm.name} ${algorithm.namedCurve ?? ''}; expected ECDSA P-256 or P-384.`,
      remedy: 'Make the key with "openssl ecparam -name prime256v1 -genkey".',
    });
  const others = namesOf(request).filter((name) => name !== expected.name && name !== expected.address);
  if (others.length > 0)
    throw new Terminal({
      code: 'csr-names-others',
      status: 403,
      message: `The request of ${expected.name} names ${others.join(', ')}; expected ${expected.name} and ${expected.address} only.`,
      remedy: 'Name the machine and its private address only.',
    });
  return await issue(ca, {
    name: expected.name,
    publicKey: request.publicKey,
    usage: ExtendedKeyUsage.serverAuth,
    alternativeNames: [
      { type: 'dns', value: expected.name },
      { type: 'ip', value: expected.address },
    ],
    lifetime: LIFETIME,
    now,
  });
}

async function verified(csrPem: string): Promise<Pkcs10CertificateRequest> {
  let cause: unknown;
  try {
    const request = new Pkcs10CertificateRequest(csrPem);
    if (await request.verify()) return request;
  } catch (error) {
    cause = error;
  }
  throw new Terminal({
    code: 'csr-invalid',
    message: 'The certificate request cannot be read, or its signature is not of its key.',
    remedy: 'Send a PKCS #10 request in PEM, as "openssl req -new" writes it.',
    cause,
  });
}

/** Common name and alternative names of every kind. */
function namesOf(request: Pkcs10CertificateRequest): string[] {
  const alternative = request.extensions.filter(({ type }) => type === SUBJECT_ALTERNATIVE_NAME);
  return [
    ...request.subjectName.getField('CN'),
    ...alternative.flatMap(({ rawData }) =>
      new SubjectAlternativeNameExtension(rawData).names.items.map(({ value }) => value),
    ),
  ];
}
