import 'reflect-metadata';
import { ExtendedKeyUsage } from '@peculiar/x509';
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
