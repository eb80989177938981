import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { z } from 'zod';
import type { Secrets } from '../secrets/secrets.ts';
import {
  BACKDATE,
  ecdsa,
  generateKeys,
  importSigningKey,
  MINUTE,
  privateKeyPem,
  type SigningKey,
  serialNumber,
} from './keys.ts';

/** The app's authority for engines and their clients; nobody else trusts it. */
export interface EngineCa {
  readonly certificate: X509Certificate;
  /** PEM of the same: public, goes into customData. */
  readonly certificatePem: string;
  readonly key: SigningKey;
}

/** Certificate and PKCS #8 key in one record, so that they always fit. PEM. */
const Record = z.object({ certificate: z.string(), key: z.string() });

const YEAR = 365 * 24 * 60 * MINUTE;

/** The engine CA of this installation; made at the first call of its first instance. Secret `engine-ca`. */
export async function ensureEngineCa(secrets: Pick<Secrets, 'ensure'>): Promise<EngineCa> {
  const stored = await secrets.ensure('engine-ca', async () =>
    new TextEncoder().encode(JSON.stringify(await makeRecord())),
  );
  const { certificate, key } = Record.parse(JSON.parse(new TextDecoder().decode(stored)));
  return {
    certificate: new X509Certificate(certificate),
    certificatePem: certificate,
    key: await importSigningKey(key),
  };
}

/** RFC 5280, 4.2.1: signs end entities only. */
async function makeRecord(): Promise<z.infer<typeof Record>> {
  const keys = await generateKeys();
  const notBefore = new Date(Date.now() - BACKDATE);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Berth engine CA',
    serialNumber: serialNumber(),
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
  return { certificate: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}
