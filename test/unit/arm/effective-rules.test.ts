import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combine, rulesFor } from '../../../infra/local/arm/network/effective-rules.ts';
import { contains, formatAddress, parseBlock } from '../../../infra/local/arm/network/ipv4.ts';
import type { RuleBody } from '../../../infra/local/arm/network/security-rules.ts';
import type { InboundRule } from '../../../infra/local/machine-runtime/machine-runtime.ts';

const SPACE = ['10.20.0.0/16'];
const MACHINE = '10.20.0.5';

interface Packet {
  readonly source: string;
  readonly protocol: 'Tcp' | 'Udp';
  readonly port: number;
}

/** What a machine does with a packet: the first rule that fits. */
function decide(rules: readonly InboundRule[], packet: Packet): 'Allow' | 'Deny' {
  const source = parseBlock(packet.source)!;
  const fits = (rule: InboundRule): boolean =>
    (rule.protocol === '*' || rule.protocol === packet.protocol) &&
    rule.sources.some((one) => one === '*' || contains(parseBlock(one)!, source)) &&
    rule.ports.some((range) => {
      if (range === '*') return true;
      const [from = 0, to = from] = range.split('-').map(Number);
      return from <= packet.port && packet.port <= to;
    });
  return [...rules].sort((a, b) => a.priority - b.priority).find(fits)?.access ?? 'Deny';
}

const rule = (properties: Partial<RuleBody['properties']>): RuleBody => ({
  name: `rule${properties.priority}`,
  properties: {
    protocol: 'Tcp',
    access: 'Allow',
    direction: 'Inbound',
    priority: 100,
    sourceAddressPrefix: '*',
    destinationAddressPrefix: '*',
    sourcePortRange: '*',
    destinationPortRange: '*',
    ...properties,
  },
});

const anyRule = fc
  .record({
    priority: fc.integer({ min: 100, max: 4096 }),
    access: fc.constantFrom('Allow', 'Deny'),
    protocol: fc.constantFrom('Tcp', 'Udp', '*'),
    sourceAddressPrefix: fc.constantFrom(
      '*',
      'VirtualNetwork',
      'Internet',
      '10.20.1.0/24',
      '10.20.0.0/15',
      '8.8.8.0/24',
    ),
    destinationPortRange: fc.constantFrom('*', '22', '20-30', '2376', '8000-8100', '8050'),
  })
  .map(rule);
const rules = fc.uniqueArray(anyRule, { maxLength: 6, selector: (one) => one.properties.priority });
const packet: fc.Arbitrary<Packet> = fc.record({
  source: fc.constantFrom('10.20.1.9', '10.20.9.9', '10.21.0.1', '8.8.8.8', '1.1.1.1'),
  protocol: fc.constantFrom('Tcp', 'Udp'),
  port: fc.constantFrom(22, 25, 80, 2376, 8000, 8050, 8099),
});

describe('inbound rules of a machine', () => {
  it("are Azure's default rules where a group has none", () => {
    const effective = rulesFor([], MACHINE, SPACE);
    expect(decide(effective, { source: '10.20.7.7', protocol: 'Tcp', port: 22 })).toBe('Allow');
    expect(decide(effective, { source: '168.63.129.16', protocol: 'Tcp', port: 22 })).toBe('Allow');
    expect(decide(effective, { source: '8.8.8.8', protocol: 'Tcp', port: 22 })).toBe('Deny');
  });

  it('leave out rules for other destinations and outbound ones', () => {
    const other = rule({ priority: 100, destinationAddressPrefix: '10.20.0.6' });
    const outbound = rule({ priority: 101, direction: 'Outbound' });
    const mine = rule({ priority: 102, destinationAddressPrefix: '10.20.0.0/24' });
    const names = rulesFor([other, outbound, mine], MACHINE, SPACE).map(({ name }) => name);
    expect(names).toEqual(['rule102', 'AllowVnetInBound', 'AllowAzureLoadBalancerInBound', 'DenyAllInBound']);
  });

  it('let pass exactly what both groups let pass', () => {
    fc.assert(
      fc.property(rules, rules, packet, (subnet, nic, sent) => {
        const [outer, inner] = [rulesFor(subnet, MACHINE, SPACE), rulesFor(nic, MACHINE, SPACE)];
        const both = decide(outer, sent) === 'Allow' && decide(inner, sent) === 'Allow' ? 'Allow' : 'Deny';
        expect(decide(combine(outer, inner), sent)).toBe(both);
      }),
    );
  });

  it('keep addresses of the network apart from the internet', () => {
    const [first] = rulesFor([rule({ sourceAddressPrefix: 'Internet' })], MACHINE, SPACE);
    const fits = (address: string) =>
      first!.sources.some((one) => contains(parseBlock(one)!, parseBlock(address)!));
    expect(fits('10.20.255.255')).toBe(false);
    expect(fits(formatAddress(0))).toBe(true);
    expect(fits('10.21.0.0')).toBe(true);
  });
});
