import { describe, expect, it } from 'vitest';
import { rulesOf, words } from '../../../infra/local/machine-runtime/host-settings.ts';
import { inboundRules, platformRules } from '../../../infra/local/machine-runtime/inbound-rules.ts';
import type { InboundRule } from '../../../infra/local/machine-runtime/machine-runtime.ts';

const rule = (changes: Partial<InboundRule>): InboundRule => ({
  ...{ name: 'r', priority: 100, access: 'Allow', protocol: 'Tcp', sources: ['*'], ports: ['22'] },
  ...changes,
});
const chain = (rules: readonly InboundRule[]) =>
  inboundRules(rules, '10.20.0.0/16')
    .split('\n')
    .filter((line) => line.startsWith('-A '))
    .map((line) => line.replace('-A BERTH-NSG ', '').replace(/-m comment --comment "[^"]*" /, ''));

describe('inbound rules', () => {
  it('end in Azure’s default rules', () => {
    expect(chain([])).toEqual([
      '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
      '-s 10.20.0.0/16 -j RETURN',
      '-s 168.63.129.16/32 -j RETURN',
      '-j DROP',
    ]);
  });

  it('stand in the order of their priority', () => {
    const rules = [
      rule({ priority: 200, access: 'Deny', ports: ['2376'] }),
      rule({ priority: 110, ports: ['2376'], sources: ['10.20.255.0/24'] }),
    ];
    expect(chain(rules).slice(1, 3)).toEqual([
      '-s 10.20.255.0/24 -p tcp --dport 2376 -j RETURN',
      '-p tcp --dport 2376 -j DROP',
    ]);
  });

  it('give every source and port its line; ports without a protocol are TCP and UDP', () => {
    const rules = [
      rule({ protocol: '*', ports: ['53', '8000-8100'], sources: ['192.0.2.1', '198.51.100.0/24'] }),
    ];
    expect(chain(rules)).toHaveLength(4 + 8);
    expect(chain(rules)).toContain('-s 198.51.100.0/24 -p udp --dport 8000:8100 -j RETURN');
  });

  it('know rules without ports', () => {
    expect(chain([rule({ protocol: 'Icmp', ports: ['*'] })])[1]).toBe('-p icmp -j RETURN');
    expect(chain([rule({ protocol: '*', ports: ['*'] })])[1]).toBe('-j RETURN');
    expect(chain([rule({ protocol: 'Udp', ports: ['*'] })])[1]).toBe('-p udp -j RETURN');
  });

  it('cannot be left through a name', () => {
    const text = inboundRules([rule({ name: 'a" -j ACCEPT\n-A INPUT' })], '10.20.0.0/16');
    expect(text.split('\n').filter((line) => line.startsWith('-A INPUT'))).toEqual([]);
    expect(text).toContain('--comment "a__-j_ACCEPT_-A_INPUT"');
  });

  it('of the platform close the metadata service and the gateway to containers', () => {
    const text = platformRules({ gateway: '10.20.0.1', metadataPort: 4100, openPorts: [4200] });
    expect(text).toContain(
      '-A OUTPUT -d 169.254.169.254/32 -p tcp --dport 80 -j DNAT --to-destination 10.20.0.1:4100',
    );
    const user = text.split('\n').filter((line) => line.startsWith('-A DOCKER-USER'));
    expect(user.map((line) => line.split(' ').at(-1))).toEqual([
      'RETURN',
      'RETURN',
      'DROP',
      'DROP',
      'RETURN',
    ]);
    expect(user[1]).toContain('-d 10.20.0.1 -p tcp --dport 4200');
  });
});

describe('rules of this computer', () => {
  it('carry the data centre’s id, by which they are removed', () => {
    const rules = rulesOf('0a1b2c3d', 'bm0a1b2c3d', '10.64.0.0/20');
    expect(rules).toHaveLength(4);
    for (const { match } of rules) expect(match).toContain('berth-0a1b2c3d');
  });

  it('are read back as iptables prints them', () => {
    expect(words('-A INPUT -i br0 -m comment --comment "two words" -j ACCEPT')).toEqual([
      ...['-A', 'INPUT', '-i', 'br0', '-m', 'comment', '--comment', 'two words', '-j', 'ACCEPT'],
    ]);
  });
});
