import { Retryable, Terminal } from '../../model/errors.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { type AcmeAuthority, type AcmePorts, orderCertificate } from './acme-client.ts';
import type { AcmeRecord, AcmeStore } from './acme-store.ts';
import { newKey, newRequest } from './certificate-signing.ts';
import type { CertificateStore } from './certificate-store.ts';
import { ACME_PREFIX, readCertificate } from './read-certificate.ts';

export interface ObtainPorts extends AcmePorts {
  readonly acme: AcmeStore;
  readonly certificates: CertificateStore;
  readonly secrets: Secrets;
  readonly authority: AcmeAuthority;
  /** Every proxy has what is written: an answer to a challenge, a certificate. */
  push(): Promise<unknown>;
}

/** Milliseconds until the next attempt, by failures in a row: an authority's limits are counted by the hour and the week. */
const PAUSES = [60_000, 300_000, 1_800_000, 7_200_000, 43_200_000, 86_400_000];

export const pauseAfterFailures = (failures: number): number =>
  PAUSES[Math.min(failures, PAUSES.length) - 1] ?? 0;

/** When two thirds of a certificate's life are over. */
export const renewalAt = (notBefore: string, notAfter: string): Date => {
  const [from, to] = [Date.parse(notBefore), Date.parse(notAfter)];
  return new Date(from + ((to - from) * 2) / 3);
};

/** Hosts whose certificate is to be asked for now. Pure. */
export const dueHosts = (
  hosts: readonly string[],
  records: readonly AcmeRecord[],
  now: Date,
): readonly string[] =>
  [...new Set(hosts)].sort().filter((host) => {
    const record = records.find((one) => one.host === host);
    return record === undefined || Date.parse(record.nextAt) <= now.getTime();
  });

/**
 * Hosts without a route whose record may go: a certificate is kept until it ends, since a route that comes back would
 * otherwise cost the authority another one. Pure.
 */
export const forgettableHosts = (
  hosts: readonly string[],
  records: readonly AcmeRecord[],
  now: Date,
): readonly string[] =>
  records.flatMap(({ host, notAfter }) =>
    hosts.includes(host) || (notAfter !== undefined && Date.parse(notAfter) > now.getTime()) ? [] : [host],
  );

/**
 * One attempt to get, or renew, the certificate of a host. It counts as failed from its beginning until it succeeds: an
 * attempt that a crash cut off is not followed by another at once. What fails is recorded with the authority's reason;
 * the certificate before it stays.
 */
export async function obtainCertificate(
  ports: ObtainPorts,
  host: string,
): Promise<'valid' | 'failed' | 'not-due'> {
  const { acme, certificates, now } = ports;
  const begun = await acme.begin(host, now(), pauseAfterFailures);
  if (begun === undefined) return 'not-due';
  try {
    const { notBefore, notAfter } = await attempt(ports, begun);
    const nextAt = renewalAt(notBefore, notAfter).toISOString();
    await acme.put({ host, state: 'valid', failures: 0, nextAt, notAfter });
    await ports.push();
    return 'valid';
  } catch (error) {
    if (!(error instanceof Terminal) && !(error instanceof Retryable)) throw error;
    const { challenge: _, ...record } = begun;
    const hasOne = (await certificates.get(`${ACME_PREFIX}${host}`)) !== undefined;
    await acme.put({ ...record, state: hasOne ? 'valid' : 'failed', reason: error.message });
    await ports.push();
    return 'failed';
  }
}

async function attempt(
  ports: ObtainPorts,
  record: AcmeRecord,
): Promise<{ notBefore: string; notAfter: string }> {
  const { acme, certificates, secrets, authority, now } = ports;
  const { host } = record;
  const text = (key: string): Uint8Array => new TextEncoder().encode(key);
  // One account for each authority.
  const name = `acme/${authority.directory.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')}`;
  const account = new TextDecoder().decode(await secrets.ensure(name, async () => text(await newKey())));
  const order = await orderCertificate(authority, account, host, ports);
  if (order.challenge !== undefined) {
    const { token, answer } = order.challenge;
    await acme.put({ ...record, challenge: { token, text: answer } });
    await ports.push();
  }
  const { key, csr } = await newRequest(host);
  const chain = await order.finish(csr);
  const { record: made, pem } = readCertificate(`${ACME_PREFIX}${host}`, chain, key, now());
  await certificates.put(made, pem);
  return made;
}
