import { BlockList, isIP } from 'node:net';

/** Never reached: what answers there is no receiver of anybody's, but tells secrets of the machine that asks. */
const never = new BlockList();
never.addSubnet('0.0.0.0', 8);
// Link-local: the instance metadata services of Azure and others, 169.254.169.254.
never.addSubnet('169.254.0.0', 16);
never.addSubnet('fe80::', 10, 'ipv6');
// Azure's own address for agents, and another cloud's metadata.
never.addAddress('168.63.129.16');
never.addAddress('fd00:ec2::254', 'ipv6');
never.addAddress('100.100.100.200');
never.addSubnet('224.0.0.0', 4);
never.addSubnet('240.0.0.0', 4);
never.addSubnet('ff00::', 8, 'ipv6');
never.addAddress('::', 'ipv6');
// Addresses that hide another: translated, tunnelled.
never.addSubnet('64:ff9b::', 96, 'ipv6');
never.addSubnet('64:ff9b:1::', 48, 'ipv6');
never.addSubnet('2002::', 16, 'ipv6');
never.addSubnet('2001::', 32, 'ipv6');

/** Reached where it is said so. */
const notPublic = new BlockList();
notPublic.addSubnet('10.0.0.0', 8);
notPublic.addSubnet('172.16.0.0', 12);
notPublic.addSubnet('192.168.0.0', 16);
notPublic.addSubnet('100.64.0.0', 10);
notPublic.addSubnet('127.0.0.0', 8);
notPublic.addSubnet('192.0.0.0', 24);
notPublic.addSubnet('198.18.0.0', 15);
notPublic.addAddress('::1', 'ipv6');
notPublic.addSubnet('fc00::', 7, 'ipv6');

/**
 * What is wrong with an address to which something would be sent; undefined if nothing is. IPv6 addresses that hold an IPv4 one
 * are taken for that: `net.BlockList` does so.
 */
export function refusalOfAddress(address: string, allowPrivate: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (never.check(address, family)) return `${address} is no address for receivers`;
  if (!allowPrivate && notPublic.check(address, family))
    return `${address} is a private address, which is not allowed here`;
  return undefined;
}
