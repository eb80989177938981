import 'reflect-metadata';
import { ExtendedKeyUsage, PublicKey } from '@peculiar/x509';
import { Terminal } from '../model/errors.ts';
import { requireEcdsa, verifiedRequest } from './certificate-request.ts';
import { type Issued, issue } from './end-entity.ts';
import type { EngineCa } from './engine-ca.ts';
import { generateKeys, MINUTE, privateKeyPem } from './keys.ts';

/** A client certificate with its key, PKCS #8 PEM. */
export interface ClientCertificate extends Issued {
  readonly key: string;
}

/** A certificate that engines of this CA admit as client. @param name who it is, for the engine's log */
export async function issueClientCertificate(
  ca: EngineCa,
  name: string,
  minutes: number,
  now: Date = new Date(),
): Promise<ClientCertificate> {
  const keys = await generateKeys();
  const issued = await issue(ca, {
    name,
    publicKey: keys.publicKey,
    usage: ExtendedKeyUsage.clientAuth,
    alternativeNames: [],
    lifetime: minutes * MINUTE,
    now,
  });
  return { ...issued, key: await privateKeyPem(keys.privateKey) };
}

/** A key whose other half stays with its owner: PEM, SubjectPublicKeyInfo or PKCS #10, whose subject is not used. */
export type ClientKey = { readonly publicKey: string } | { readonly csr: string };

/**
 * A certificate that engines of this CA admit as client, for somebody else's key.
 * @param name who it is: stands in the subject
 * @throws Terminal `csr-invalid`, `csr-key-refused`, `public-key-invalid`
 */
export async function signClientCertificate(
  ca: EngineCa,
  key: ClientKey,
  name: string,
  minutes: number,
  now: Date,
): Promise<Issued> {
  return await issue(ca, {
    name,
    publicKey: 'csr' in key ? (await verifiedRequest(key.csr)).publicKey : publicKeyOf(key.publicKey),
    usage: ExtendedKeyUsage.clientAuth,
    alternativeNames: [],
    lifetime: minutes * MINUTE,
    now,
  });
}

/** RFC 5280, 4.1.2.7 */
function publicKeyOf(pem: string): PublicKey {
  try {
    const key = new PublicKey(pem);
    requireEcdsa(key);
    return key;
  } catch (cause) {
    if (cause instanceof Terminal) throw cause;
    throw new Terminal({
      code: 'public-key-invalid',
      message: 'The public key cannot be read.',
      remedy: 'Send it in PEM, as "openssl pkey -pubout" writes it.',
      cause,
    });
  }
}

/** The app's own client certificate: made when first asked for, and anew once four fifths of its time are over. */
export function clientIdentity(
  ca: () => Promise<EngineCa>,
  name: string,
  minutes: number,
  now: () => Date = () => new Date(),
): () => Promise<ClientCertificate> {
  let current: { certificate: Promise<ClientCertificate>; renewAt: number } | undefined;
  return async () => {
    const at = now();
    if (current === undefined || at.getTime() >= current.renewAt) {
      const certificate = ca().then((authority) => issueClientCertificate(authority, name, minutes, at));
      current = { certificate, renewAt: at.getTime() + minutes * MINUTE * 0.8 };
      certificate.catch(() => {
        current = undefined;
      });
    }
    return await current.certificate;
  };
}
