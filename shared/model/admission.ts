import { z } from 'zod';

/**
 * IPv4 addresses that are admitted, `203.0.113.7` or `203.0.113.0/24`: public addresses of machines are IPv4. Bits behind
 * the prefix are taken as zero.
 */
export const Cidr = z
  .union([z.ipv4(), z.cidrv4()], 'expected an IPv4 address, or a range such as 203.0.113.0/24')
  .transform((text) => {
    const [address = '', length = '32'] = text.split('/');
    const bits = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
    const size = 2 ** (32 - Number(length));
    const first = Math.floor(bits / size) * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${length}`;
  });

const PORT = '([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])';

/** `80`, `8000-8010`, `53/udp`: TCP unless it says otherwise. */
export const OpenPort = z
  .string()
  .regex(
    new RegExp(`^${PORT}(-${PORT})?(/(tcp|udp))?$`),
    'expected a port from 1 to 65535, or two with a hyphen between, and /udp behind it where it is not TCP',
  )
  .refine((text) => {
    const { first, last } = portsOf(text);
    return first <= last;
  }, 'expected the smaller port first');

/** What an `OpenPort` says. */
export function portsOf(openPort: string): {
  readonly first: number;
  readonly last: number;
  readonly protocol: 'tcp' | 'udp';
} {
  const [range = '', protocol = 'tcp'] = openPort.split('/');
  const [first = '', last = first] = range.split('-');
  return { first: Number(first), last: Number(last), protocol: protocol === 'udp' ? 'udp' : 'tcp' };
}

/** Types that sshd takes: https://man.openbsd.org/sshd#AUTHORIZED_KEYS_FILE_FORMAT; ssh-dss is refused by it since 2015. */
const TYPES = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;

/** A public key, one line as `ssh-keygen` writes it. RFC 4253, 6.6: the blob begins with its type. */
export const SshKey = z
  .string()
  .trim()
  .max(16_384)
  .superRefine((text, context) => {
    const fault = faultOf(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

function faultOf(text: string): string | undefined {
  if (text.includes('PRIVATE KEY'))
    return 'expected a public key, and this is a private one: send the file that ends in .pub';
  const [type = '', blob = ''] = text.split(/\s+/);
  if (/[\r\n]/.test(text) || !TYPES.some((known) => known === type))
    return `expected one line that begins with ${TYPES.slice(0, 2).join(', ')} or another type of OpenSSH's public keys`;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return 'expected the key in base64 behind its type';
  const bytes = atob(blob.slice(0, 4 * Math.floor(blob.length / 4)));
  const length = [...bytes.slice(0, 4)].reduce((sum, char) => sum * 256 + char.charCodeAt(0), 0);
  return bytes.length > 4 && bytes.slice(4, 4 + length) === type
    ? undefined
    : `expected a key of the type ${type}, and its base64 says another: it may be cut off`;
}
