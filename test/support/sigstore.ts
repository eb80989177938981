import 'reflect-metadata';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const LOG_URL = 'https://log.sigstore.test';
const MINUTE = 60_000;

export interface TestCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
}

export interface TestLogEntry {
  readonly body: Buffer;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logId: Buffer;
  readonly promise: Buffer;
  readonly checkpoint: string;
  readonly rootHash: Buffer;
}

/** A Sigstore instance of a test's own, with real keys: what Fulcio, its certificate log and Rekor do for a signature. */
export interface TestSigstore {
  readonly trustedRoot: Record<string, unknown>;
  certificate(of: {
    identity: string;
    issuer: string;
    at?: Date;
    usage?: string;
    logged?: boolean;
  }): Promise<TestCertificate>;
  enter(body: unknown, at?: Date): TestLogEntry;
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const uint = (value: number | bigint, bytes: number): Buffer =>
  Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');

export async function testSigstore(now = new Date()): Promise<TestSigstore> {
  const webcrypto = globalThis.crypto.subtle;
  const authority = await webcrypto.generateKey(ECDSA, true, ['sign', 'verify']);
  const log = keyPair();
  const certificateLog = keyPair();
  const from = new Date(now.getTime() - 24 * 60 * MINUTE);
  const root = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test Fulcio',
    serialNumber: '01',
    notBefore: from,
    notAfter: new Date(now.getTime() + 24 * 60 * MINUTE),
    keys: authority,
    signingAlgorithm: ECDSA,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const instance = (key: KeyObject, baseUrl: string) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spki(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: from.toISOString() },
    },
    logId: { keyId: sha256(spki(key)).toString('base64') },
  });
  let serial = 1;
  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [instance(log.publicKey, LOG_URL)],
      certificateAuthorities: [
        {
          subject: { organization: 'test', commonName: 'Test Fulcio' },
          uri: 'https://fulcio.sigstore.test',
          certChain: { certificates: [{ rawBytes: Buffer.from(root.rawData).toString('base64') }] },
          validFor: { start: from.toISOString() },
        },
      ],
      ctlogs: [instance(certificateLog.publicKey, 'https://ctlog.sigstore.test')],
      timestampAuthorities: [],
    },

    async certificate({ identity, issuer, at = now, usage = ExtendedKeyUsage.codeSigning, logged = true }) {
      const { publicKey, privateKey } = keyPair();
      const holder = await webcrypto.importKey('spki', spki(publicKey), ECDSA, true, ['verify']);
      serial += 1;
      const make = async (more: Extension[]) =>
        X509CertificateGenerator.create({
          serialNumber: uint(serial, 8).toString('hex'),
          issuer: root.subject,
          subject: '',
          notBefore: at,
          notAfter: new Date(at.getTime() + 10 * MINUTE),
          publicKey: holder,
          signingKey: authority.privateKey,
          signingAlgorithm: ECDSA,
          extensions: [
            new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
            new ExtendedKeyUsageExtension([usage]),
            await AuthorityKeyIdentifierExtension.create(authority.publicKey),
            new SubjectAlternativeNameExtension(
              [{ type: identity.includes('://') ? 'url' : 'email', value: identity }],
              true,
            ),
            new Extension('1.3.6.1.4.1.57264.1.8', false, element(0x0c, Buffer.from(issuer))),
            ...more,
          ],
        });
      const promised = logged ? [promise(await make([]), root, certificateLog, at)] : [];
      const made = await make(promised);
      return { der: Buffer.from(made.rawData), pem: made.toString('pem'), key: privateKey };
    },

    enter(document, at = now) {
      const body = Buffer.from(JSON.stringify(document));
      const logId = sha256(spki(log.publicKey));
      const integratedTime = Math.floor(at.getTime() / 1000) + 60;
      // Sorted names without spaces: what the log signs for an entry.
      const promised = JSON.stringify({
        body: body.toString('base64'),
        integratedTime,
        logID: logId.toString('hex'),
        logIndex: 0,
      });
      const rootHash = sha256(Buffer.of(0), body);
      const note = `log.sigstore.test\n1\n${rootHash.toString('base64')}\n`;
      const signature = Buffer.concat([
        logId.subarray(0, 4),
        sign('sha256', Buffer.from(note), log.privateKey),
      ]);
      return {
        body,
        integratedTime,
        logIndex: 0,
        logId,
        promise: sign('sha256', Buffer.from(promised), log.privateKey),
        checkpoint: `${note}\n— log.sigstore.test ${signature.toString('base64')}\n`,
        rootHash,
      };
    },
  };
}

/** DER: a tag, the length, the content. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80
      ? uint(length, 1)
      : length < 0x100
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

/** Where a DER element's content begins and ends. */
function within(der: Buffer, at: number): { begin: number; end: number } {
  const first = der[at + 1] ?? 0;
  const more = first < 0x80 ? 0 : first & 0x7f;
  const begin = at + 2 + more;
  const length = more === 0 ? first : Number.parseInt(der.subarray(at + 2, begin).toString('hex'), 16);
  return { begin, end: begin + length };
}

/** The certificate log's promise for a certificate that does not have it yet: RFC 6962, 3.2 and 3.3. */
function promise(
  certificate: X509Certificate,
  issuer: X509Certificate,
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  at: Date,
): Extension {
  const der = Buffer.from(certificate.rawData);
  const { begin } = within(der, 0);
  const tbs = der.subarray(begin, within(der, begin).end);
  const issuerKey = spki(createPublicKey(issuer.toString('pem')));
  const time = uint(at.getTime(), 8);
  const signed = Buffer.concat([
    Buffer.of(0, 0),
    time,
    Buffer.of(0, 1),
    sha256(issuerKey),
    uint(tbs.length, 3),
    tbs,
    Buffer.of(0, 0),
  ]);
  const signature = sign('sha256', signed, privateKey);
  const timestamp = Buffer.concat([
    Buffer.of(0),
    sha256(spki(publicKey)),
    time,
    Buffer.of(0, 0, 4, 3),
    uint(signature.length, 2),
    signature,
  ]);
  const list = Buffer.concat([uint(timestamp.length, 2), timestamp]);
  const value = element(0x04, Buffer.concat([uint(list.length, 2), list]));
  return new Extension('1.3.6.1.4.1.11129.2.4.2', false, value);
}
