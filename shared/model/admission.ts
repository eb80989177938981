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

/** https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys: Azure takes these, and RSA from 2,048 bits on. */
const TYPES = ['ssh-ed25519', 'ssh-rsa'];
const LEAST_RSA_BYTES = 256;

/** A public key, one line as `ssh-keygen` writes it. */
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
  if (/[\r\n]/.test(text) || !TYPES.includes(type))
    return `expected one line that begins with ${TYPES.join(' or ')}: Azure takes no other types`;
  const fields = fieldsOf(blob);
  if (fields === undefined || String.fromCharCode(...(fields[0] ?? [])) !== type)
    return `expected a key of the type ${type} in base64, and it is not one: it may be cut off`;
  const size = fields[2]?.findIndex((byte) => byte !== 0) ?? 0;
  const modulus = (fields[2]?.length ?? 0) - Math.max(0, size);
  if (type === 'ssh-rsa' && modulus < LEAST_RSA_BYTES)
    return `expected an RSA key of at least 2048 bits; found ${modulus * 8}`;
  return undefined;
}

/** RFC 4253, 6.6: strings with their length before them, the first of which is the type. */
function fieldsOf(blob: string): readonly Uint8Array[] | undefined {
  if (blob.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return undefined;
  const bytes = Uint8Array.from(atob(blob), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const fields: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
