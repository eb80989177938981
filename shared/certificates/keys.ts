import 'reflect-metadata';
import { PemConverter } from '@peculiar/x509';

/** FIPS 186-5; what every TLS 1.2 and 1.3 peer takes. */
export const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type SigningKey = Awaited<ReturnType<typeof importSigningKey>>;

export const generateKeys = () => crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);

/** @param pem PKCS #8 */
export const importSigningKey = (pem: string) =>
  crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ecdsa, false, ['sign']);

/** PKCS #8 PEM. */
export async function privateKeyPem(privateKey: SigningKey): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', privateKey);
  return `${PemConverter.encode(der, PemConverter.PrivateKeyTag)}\n`;
}

/** 127 random bits, positive: RFC 5280, 4.1.2.2. Lower-case hex without leading zeros in front of its first digit. */
export function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const MINUTE = 60_000;
/** A machine's clock may lag behind the app's. */
export const BACKDATE = 5 * MINUTE;
