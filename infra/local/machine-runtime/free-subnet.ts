/** An IPv4 network: its first address as a number, and how many bits of it are fixed. */
interface Network {
  readonly first: number;
  readonly bits: number;
}

/** Parses `10.1.2.3/20`, `10.1.2.3` (a single address) and answers the network around it. */
function parseNetwork(cidr: string): Network {
  const [address = '', bits = '32'] = cidr.split('/');
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || !(Number(bits) <= 32))
    throw new RangeError(`"${cidr}" is not an IPv4 network: expected a.b.c.d/bits`);
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - Number(bits));
  return { first: value - (value % size), bits: Number(bits) };
}

const last = (network: Network): number => network.first + 2 ** (32 - network.bits) - 1;

export const overlaps = (one: string, other: string): boolean => {
  const [a, b] = [parseNetwork(one), parseNetwork(other)];
  return a.first <= last(b) && b.first <= last(a);
};

export const formatAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** The address `offset` places after the first of the network. */
export const addressIn = (cidr: string, offset: number): string =>
  formatAddress(parseNetwork(cidr).first + offset);

/**
 * The first private network of `bits` bits that touches none of `taken` (CIDRs), from 10.64.0.0 on: the lower ones
 * are what companies and clouds use first.
 */
export function freeSubnet(bits: number, taken: readonly string[]): string {
  const size = 2 ** (32 - bits);
  for (const range of ['10.64.0.0/10', '10.128.0.0/9', '172.16.0.0/12', '192.168.0.0/16']) {
    const whole = parseNetwork(range);
    for (let first = whole.first; first + size - 1 <= last(whole); first += size) {
      const candidate = `${formatAddress(first)}/${bits}`;
      if (!taken.some((network) => overlaps(candidate, network))) return candidate;
    }
  }
  throw new RangeError(`No private network of /${bits} is free on this computer`);
}
