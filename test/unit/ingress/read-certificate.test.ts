import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../../shared/ingress/certificates/read-certificate.ts';
import { selfSigned } from '../../support/self-signed.ts';

describe('a certificate that somebody gives', () => {
  const now = new Date();

  it('is told by its names and its time, and put together with its key', async () => {
    const { certificate, key } = await selfSigned('a.example');
    const { record, pem } = readCertificate('given', certificate, key, now);
    expect(record).toMatchObject({ name: 'given', hosts: ['a.example'], issuer: 'CN=a.example' });
    expect(pem).toMatch(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END PRIVATE KEY-----\n$/);
  });

  it('is refused for what is wrong with it, without a word of its key', async () => {
    const [one, two] = await Promise.all([selfSigned('a.example'), selfSigned('b.example')]);
    const reason = (certificate: string, key: string, at = now) => {
      try {
        readCertificate('given', certificate, key, at);
      } catch (error) {
        return (error as Error).message;
      }
      return 'taken';
    };
    expect(reason(one.certificate, two.key)).toContain('the key is not that of the first certificate');
    expect(reason('text', one.key)).toContain('no block "BEGIN CERTIFICATE"');
    expect(reason(one.certificate, 'secret')).toContain('expected an unencrypted private key in PEM');
    expect(reason(one.certificate, 'secret')).not.toContain('secret');
    expect(reason(one.certificate, one.key, new Date(now.getTime() + 40 * 86_400_000))).toContain('expired');
  });
});
