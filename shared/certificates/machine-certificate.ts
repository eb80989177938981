import 'reflect-metadata';
import { ExtendedKeyUsage } from '@peculiar/x509';
import { Terminal } from '../model/errors.ts';
import { namesOf, verifiedRequest } from './certificate-request.ts';
import { type Issued, issue } from './end-entity.ts';
import type { EngineCa } from './engine-ca.ts';
import { MINUTE } from './keys.ts';

/** The machine as it is recorded: its certificate names nothing else. */
export interface ExpectedMachine {
  readonly name: string;
  /** Private address. */
  readonly address: string;
  readonly publicAddress?: string | undefined;
  /** DNS name of the public address. */
  readonly hostname?: string | undefined;
}

const LIFETIME = 90 * 24 * 60 * MINUTE;

/**
 * Signs the server certificate of a machine's engine: its names and addresses, 90 days, back-dated 5 minutes. A machine
 * on Azure does not know its public address: the certificate names it whether it was asked for or not.
 * @param csrPem PKCS #10 (RFC 2986), made and signed by the machine's own key
 * @throws Terminal `csr-invalid`, `csr-key-refused`, `csr-names-others`
 */
export async function signMachineCertificate(
  ca: EngineCa,
  csrPem: string,
  expected: ExpectedMachine,
  now: Date = new Date(),
): Promise<Issued> {
  const { name, address, publicAddress, hostname } = expected;
  const request = await verifiedRequest(csrPem);
  const names = [name, hostname].filter((one) => one !== undefined);
  const addresses = [...new Set([address, publicAddress])].filter((one) => one !== undefined);
  const known = new Set([...names, ...addresses]);
  const others = namesOf(request).filter((one) => !known.has(one));
  if (others.length > 0)
    throw new Terminal({
      code: 'csr-names-others',
      status: 403,
      message: `The request of ${name} names ${others.join(', ')}; expected ${[...known].join(', ')} only.`,
      remedy: 'Name the machine and its addresses only.',
    });
  return await issue(ca, {
    name,
    publicKey: request.publicKey,
    usage: ExtendedKeyUsage.serverAuth,
    alternativeNames: [
      ...names.map((value) => ({ type: 'dns', value }) as const),
      ...addresses.map((value) => ({ type: 'ip', value }) as const),
    ],
    lifetime: LIFETIME,
    now,
  });
}
