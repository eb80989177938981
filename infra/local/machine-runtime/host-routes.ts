import { readFileSync } from 'node:fs';
import { formatAddress } from './free-subnet.ts';

/** IPv4 networks that this computer has a route to, the default route not counted, and its name servers. */
export function takenNetworks(): readonly string[] {
  return [...parseRoutes(readFileSync('/proc/net/route', 'utf8')), ...nameServers()];
}

/** Pure: the destinations in /proc/net/route, whose numbers are in the byte order of the machine (little-endian). */
export function parseRoutes(table: string): readonly string[] {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map((fields) => ({ network: swapped(fields[1] ?? '0'), mask: swapped(fields[7] ?? '0') }))
    .filter(({ mask }) => mask !== 0)
    .map(({ network, mask }) => `${formatAddress(network)}/${32 - Math.round(Math.log2(2 ** 32 - mask))}`);
}

const swapped = (hex: string): number =>
  Number.parseInt((hex.padStart(8, '0').match(/../g) ?? []).reverse().join(''), 16);

/**
 * Name servers that machines can use: this computer's own, or those behind its local cache. Empty where only a
 * loopback address is known.
 */
export function nameServers(): readonly string[] {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const servers = parseNameServers(readOr(file, ''));
    if (servers.length > 0) return servers;
  }
  return [];
}

/** Pure: IPv4 name servers of a resolv.conf that are not this computer's loopback. */
export const parseNameServers = (text: string): readonly string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)]
    .map((match) => match[1] ?? '')
    .filter((address) => !address.startsWith('127.'));

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
