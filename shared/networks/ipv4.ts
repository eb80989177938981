/** An IPv4 network: its first address as a number, and how many bits of it are fixed. */
export interface Ipv4Network {
  readonly first: number;
  readonly bits: number;
}

export const numberOf = (address: string): number =>
  address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);

export const addressOf = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** @param cidr `a.b.c.d/bits`, checked before: the network around the address */
export function networkOf(cidr: string): Ipv4Network {
  const [address = '', bits = '32'] = cidr.split('/');
  const value = numberOf(address);
  return { first: value - (value % 2 ** (32 - Number(bits))), bits: Number(bits) };
}

export const cidrOf = ({ first, bits }: Ipv4Network): string => `${addressOf(first)}/${bits}`;

export function overlaps(one: string, other: string): boolean {
  const [a, b] = [networkOf(one), networkOf(other)];
  const last = ({ first, bits }: Ipv4Network) => first + 2 ** (32 - bits) - 1;
  return a.first <= last(b) && b.first <= last(a);
}
