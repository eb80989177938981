import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admissionRules } from '../../../../shared/machines/by-hand/admission-rules.ts';
import { Cidr, OpenPort, portsOf, SshKey } from '../../../../shared/model/admission.ts';

const APP = '10.20.255.0/24';

const field = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const line = (type: string, ...fields: Uint8Array[]): string =>
  `${type} ${Buffer.concat([field(Buffer.from(type)), ...fields.map(field)]).toString('base64')} me@here`;
const ed25519 = () => {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return line('ssh-ed25519', Buffer.from(x ?? '', 'base64url'));
};
const rsa = (bits: number) => {
  const { n, e } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
  const number = (text = '') => Buffer.concat([Buffer.from([0]), Buffer.from(text, 'base64url')]);
  return line('ssh-rsa', Buffer.from(e ?? '', 'base64url'), number(n));
};
const faultOf = (text: string) => SshKey.safeParse(text).error?.issues[0]?.message;

describe('ranges', () => {
  it('are IPv4, with the bits behind the prefix as zero', () => {
    expect(Cidr.parse('203.0.113.7')).toBe('203.0.113.7/32');
    expect(Cidr.parse('203.0.113.7/24')).toBe('203.0.113.0/24');
    expect(Cidr.parse('255.255.255.255/0')).toBe('0.0.0.0/0');
    for (const text of ['', '1.2.3', '1.2.3.4/33', '::1', '2001:db8::/32', 'example.org', '*'])
      expect(Cidr.safeParse(text).success, text).toBe(false);
  });

  it('hold the address that they were made of', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), fc.integer({ min: 0, max: 32 }), (bytes, length) => {
        const number = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
        const [base = '', prefix] = Cidr.parse(`${bytes.join('.')}/${length}`).split('/');
        expect(Number(prefix)).toBe(length);
        const size = 2 ** (32 - length);
        const first = number(base.split('.').map(Number));
        expect(first % size).toBe(0);
        expect(number(bytes) - first).toBeLessThan(size);
        expect(number(bytes)).toBeGreaterThanOrEqual(first);
      }),
    );
  });
});

describe('open ports', () => {
  it.each(['80', '8000-8010', '53/udp', '443/tcp', '65535'])('are %s', (text) => {
    expect(OpenPort.parse(text)).toBe(text);
  });

  it.each(['0', '65536', '80-', '90-80', '80/icmp', 'http', '-1', '8000-8010-8020', ''])(
    'are not %j',
    (text) => {
      expect(OpenPort.safeParse(text).success).toBe(false);
    },
  );
});

describe('SSH keys', () => {
  it('are Ed25519, or RSA of 2048 bits and more', () => {
    expect(faultOf(ed25519())).toBeUndefined();
    expect(faultOf(`  ${rsa(2048)}\n`)).toBeUndefined();
    expect(faultOf(rsa(1024))).toBe('expected an RSA key of at least 2048 bits; found 1024');
  });

  it('are refused where they are private, cut off, of another type, or more than one', () => {
    const key = ed25519();
    expect(faultOf('-----BEGIN OPENSSH PRIVATE KEY-----')).toMatch(/this is a private one/);
    expect(faultOf(key.slice(0, 40))).toMatch(/may be cut off/);
    expect(faultOf(key.replace('ssh-ed25519 ', 'ssh-rsa '))).toMatch(/may be cut off/);
    expect(faultOf(`ecdsa-sha2-nistp256 ${key.split(' ')[1]}`)).toMatch(/ssh-ed25519 or ssh-rsa/);
    expect(faultOf(`${key}\n${key}`)).toMatch(/expected one line/);
  });

  it('never throws, whatever text it is given', () => {
    fc.assert(fc.property(fc.string(), fc.base64String(), (a, b) => void faultOf(`ssh-rsa ${b}${a}`)));
  });
});

describe('whom a machine by hand admits', () => {
  const admits = (
    rules: ReturnType<typeof admissionRules>,
    protocol: 'Tcp' | 'Udp',
    source: string,
    port: number,
  ) =>
    [...rules]
      .sort((a, b) => a.priority - b.priority)
      .find(
        (rule) =>
          (rule.protocol === '*' || rule.protocol === protocol) &&
          (rule.sources.includes('*') || rule.sources.includes(source)) &&
          rule.ports.some((text) => {
            if (text === '*') return true;
            const [from = 0, to = from] = text.split('-').map(Number);
            return from <= port && port <= to;
          }),
      )?.access === 'Allow';

  it('is the app to the engine, its user to engine, ssh and what is open, and nobody else', () => {
    const cidr: fc.Arbitrary<string> = fc.constantFrom('203.0.113.7/32', '198.51.100.0/24', '10.20.0.0/16');
    const open = fc.constantFrom('80', '8000-8010', '53/udp', '22', '2376/udp');
    const port = fc.constantFrom(22, 53, 80, 81, 2375, 2376, 8000, 8005, 8011, 65_535);
    fc.assert(
      fc.property(
        fc.uniqueArray(cidr),
        fc.uniqueArray(open),
        fc.constantFrom('Tcp', 'Udp'),
        fc.constantFrom(APP, '203.0.113.7/32', '198.51.100.0/24', '10.20.0.0/16', '192.0.2.1/32'),
        port,
        (allowFrom, openPorts, protocol, source, at) => {
          const rules = admissionRules(APP, { allowFrom, openPorts });
          const isOpen =
            (protocol === 'Tcp' && (at === 22 || at === 2376)) ||
            openPorts
              .map(portsOf)
              .some((one) => one.protocol === protocol.toLowerCase() && one.first <= at && at <= one.last);
          const expected =
            (allowFrom.includes(source) && isOpen) || (source === APP && protocol === 'Tcp' && at === 2376);
          expect(admits(rules, protocol, source, at)).toBe(expected);
        },
      ),
    );
  });

  it('has priorities and names of which none is there twice', () => {
    const rules = admissionRules(APP, { allowFrom: ['203.0.113.7/32'], openPorts: ['53/udp', '80'] });
    expect(new Set(rules.map(({ priority }) => priority)).size).toBe(rules.length);
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  });
});
