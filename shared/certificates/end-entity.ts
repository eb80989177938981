import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  type PublicKeyType,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { EngineCa } from './engine-ca.ts';
import { BACKDATE, ecdsa, serialNumber } from './keys.ts';

/** A certificate that the engine CA signed. */
export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** Hex. */
  readonly serial: string;
  readonly notAfter: Date;
}

/** What a certificate says; `lifetime` in milliseconds from `now`. */
export interface EndEntity {
  readonly name: string;
  readonly publicKey: PublicKeyType;
  /** OID of its one extended key usage. */
  readonly usage: string;
  readonly alternativeNames: JsonGeneralNames;
  readonly lifetime: number;
  readonly now: Date;
}

/** Signs a certificate for a server or client. RFC 5280, 4.2. */
export async function issue(ca: EngineCa, entity: EndEntity): Promise<Issued> {
  const serial = serialNumber();
  const notAfter = new Date(entity.now.getTime() + entity.lifetime);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: [entity.name] }],
    issuer: ca.certificate.subjectName.toJSON(),
    notBefore: new Date(entity.now.getTime() - BACKDATE),
    notAfter,
    signingAlgorithm: ecdsa,
    publicKey: entity.publicKey,
    signingKey: ca.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([entity.usage]),
      ...(entity.alternativeNames.length === 0
        ? []
        : [new SubjectAlternativeNameExtension(entity.alternativeNames)]),
      await SubjectKeyIdentifierExtension.create(entity.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, serial, notAfter };
}
