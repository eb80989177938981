import 'reflect-metadata';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { clientIdentity, issueClientCertificate } from '../../../shared/certificates/client-certificate.ts';
import { ensureEngineCa } from '../../../shared/certificates/engine-ca.ts';
import { signMachineCertificate } from '../../../shared/certificates/machine-certificate.ts';

const machine = { name: 'default-k3x9', address: '10.20.0.5' };
const NOW = new Date('2026-11-25T00:00:00Z');

function memorySecrets() {
  const kept = new Map<string, Uint8Array>();
  return {
    async ensure(name: string, make: () => Promise<Uint8Array>) {
      const value = kept.get(name) ?? (await make());
      kept.set(name, value);
      return value;
    },
  };
}

const ecdsa = (namedCurve: string) => ({ name: 'ECDSA', namedCurve, hash: 'SHA-256' });

async function request(
  options: { cn?: string; names?: [type: 'dns' | 'ip' | 'email', value: string][]; algorithm?: object } = {},
) {
  const algorithm = (options.algorithm ?? ecdsa('P-256')) as ReturnType<typeof ecdsa>;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = options.names ?? [
    ['dns', machine.name],
    ['ip', machine.address],
  ];
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${options.cn ?? machine.name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names.map(([type, value]) => ({ type, value })))],
  });
  return csr.toString('pem');
}

describe('engine CA', () => {
  it('is the same for all instances', async () => {
    const secrets = memorySecrets();
    const [first, second] = [await ensureEngineCa(secrets), await ensureEngineCa(secrets)];
    expect(second.certificatePem).toBe(first.certificatePem);
    const ca = new X509Certificate(first.certificatePem);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
  });
});

describe('machine certificate', () => {
  it('names the machine and its address, for 90 days from 5 minutes ago', async () => {
    const ca = await ensureEngineCa(memorySecrets());
    const issued = await signMachineCertificate(ca, await request(), machine, NOW);
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.checkIssued(new X509Certificate(ca.certificatePem))).toBe(true);
    expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe('DNS:default-k3x9, IP Address:10.20.0.5');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(certificate.validFromDate).toEqual(new Date('2026-11-24T23:55:00Z'));
    expect(certificate.validToDate).toEqual(new Date('2027-02-23T00:00:00Z'));
    expect(certificate.serialNumber.toLowerCase()).toBe(issued.serial);
    expect(issued.notAfter).toEqual(certificate.validToDate);
  });

  it.each([
    ['another common name', { cn: 'other' }],
    ['another name', { names: [['dns', 'other']] }],
    ['another address', { names: [['ip', '10.20.0.6']] }],
    ['a mailbox', { names: [['email', 'a@example.org']] }],
  ] as [string, Parameters<typeof request>[0]][])('is refused to a request with %s', async (_, options) => {
    const ca = await ensureEngineCa(memorySecrets());
    await expect(signMachineCertificate(ca, await request(options), machine, NOW)).rejects.toMatchObject({
      code: 'csr-names-others',
    });
  });

  it('is refused to other kinds of keys', async () => {
    const ca = await ensureEngineCa(memorySecrets());
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    };
    for (const algorithm of [rsa, ecdsa('P-521')])
      await expect(
        signMachineCertificate(ca, await request({ algorithm }), machine, NOW),
      ).rejects.toMatchObject({ code: 'csr-key-refused' });
  });

  it('is refused to a request that another key signed, and to what is no request', async () => {
    const ca = await ensureEngineCa(memorySecrets());
    const lines = (await request()).split('\n');
    const body = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    body[body.length - 1]! ^= 1;
    const tampered = [lines[0], body.toString('base64'), lines.at(-1)].join('\n');
    for (const csr of [tampered, 'nothing'])
      await expect(signMachineCertificate(ca, csr, machine, NOW)).rejects.toMatchObject({
        code: 'csr-invalid',
      });
  });
});

describe('client certificate', () => {
  it('is for clients, and goes with its key', async () => {
    const ca = await ensureEngineCa(memorySecrets());
    const issued = await issueClientCertificate(ca, 'berth', 60, NOW);
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
    expect(certificate.validToDate).toEqual(new Date('2026-11-25T01:00:00Z'));
  });

  it('is made once, and again when most of its time is over', async () => {
    const ca = ensureEngineCa(memorySecrets());
    let now = NOW;
    const identity = clientIdentity(
      () => ca,
      'berth',
      100,
      () => now,
    );
    const [first, same] = await Promise.all([identity(), identity()]);
    now = new Date(NOW.getTime() + 79 * 60_000);
    const still = await identity();
    now = new Date(NOW.getTime() + 80 * 60_000);
    const renewed = await identity();
    expect(same).toBe(first);
    expect(still).toBe(first);
    expect(renewed.serial).not.toBe(first.serial);
  });
});
