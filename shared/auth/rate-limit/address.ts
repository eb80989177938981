import { isIPv4, isIPv6 } from 'node:net';

/**
 * Where a request came from: the last entry of `X-Forwarded-For`, which the proxy before us wrote itself; those before it are
 * the client's own words. Azure's front ends write a port behind the address.
 */
export function addressOf(forwardedFor: string | null): string | undefined {
  const last = forwardedFor?.split(',').at(-1)?.trim() ?? '';
  const bare =
    /^\[(?<v6>[^\]]+)\](:\d+)?$/.exec(last)?.groups?.['v6'] ?? last.replace(/^([\d.]+):\d+$/, '$1');
  const address = bare.replace(/^::ffff:(?=[\d.]+$)/i, '');
  return address === '' ? undefined : address;
}

/** Whom a limit counts as one: an IPv4 address, or the /64 that one IPv6 subscriber has whole. All that are not known count as one. */
export function networkOf(address: string | undefined): string {
  if (address === undefined || isIPv4(address) || !isIPv6(address)) return address ?? '';
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = (text = ''): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const whole = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  return `${whole
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
