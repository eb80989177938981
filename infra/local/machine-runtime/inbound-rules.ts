import type { InboundRule } from './machine-runtime.ts';

/**
 * Network security groups as iptables rules in the machine. They stand in `mangle PREROUTING`: after connection
 * tracking, so that answers pass, and before a published port is translated, so that rules see the machine's port.
 */
const chain = 'BERTH-NSG';

/** Azure's load balancer probes come from here. https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 */
const loadBalancer = '168.63.129.16/32';

/**
 * Pure: the input of `iptables-restore --noflush` that replaces the chain as a whole, in one step. After the group's
 * own rules come Azure's default rules: AllowVnetInBound, AllowAzureLoadBalancerInBound, DenyAllInBound.
 * https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
 */
export function inboundRules(rules: readonly InboundRule[], network: string): string {
  const own = [...rules].sort((a, b) => a.priority - b.priority).flatMap(ruleLines);
  return restoreFile('mangle', chain, [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    ...own,
    `-s ${network} -j RETURN`,
    `-s ${loadBalancer} -j RETURN`,
    '-j DROP',
  ]);
}

/** Pure: sends what arrives from outside through the chain; for the machine's boot, after `inboundRules`. */
export const inboundHook = (): string => `*mangle\n-A PREROUTING -i eth0 -j ${chain}\nCOMMIT\n`;

function ruleLines(rule: InboundRule): readonly string[] {
  const verdict = `-m comment --comment "${rule.name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}" -j ${rule.access === 'Allow' ? 'RETURN' : 'DROP'}`;
  return rule.sources.flatMap((source) =>
    matches(rule).map((match) =>
      [source === '*' ? '' : `-s ${source}`, match, verdict].filter((part) => part !== '').join(' '),
    ),
  );
}

/** A port needs a protocol that has ports: `*` with ports is TCP and UDP. */
function matches(rule: InboundRule): readonly string[] {
  if (rule.protocol === 'Icmp') return ['-p icmp'];
  const all = rule.ports.includes('*');
  if (rule.protocol === '*' && all) return [''];
  const protocols = rule.protocol === '*' ? ['tcp', 'udp'] : [rule.protocol.toLowerCase()];
  const ports = all ? [''] : rule.ports.map((port) => `--dport ${port.replace('-', ':')}`);
  return protocols.flatMap((protocol) => ports.map((port) => `-p ${protocol} ${port}`.trim()));
}

export interface PlatformAddresses {
  /** The machines' gateway, where the platform listens. */
  readonly gateway: string;
  readonly metadataPort: number;
  /** Ports of the gateway that containers may use all the same: the app's. */
  readonly openPorts: readonly number[];
}

/**
 * Pure: for the machine's boot. Its own processes reach the metadata service at its well-known address; containers,
 * whose packets are forwarded, reach neither that nor the platform. DOCKER-USER is the chain that Docker leaves to
 * others and puts before its own. https://docs.docker.com/engine/network/packet-filtering-firewalls/
 */
export function platformRules({ gateway, metadataPort, openPorts }: PlatformAddresses): string {
  const metadata = '169.254.169.254/32';
  return [
    `*nat\n-A OUTPUT -d ${metadata} -p tcp --dport 80 -j DNAT --to-destination ${gateway}:${metadataPort}\nCOMMIT\n`,
    restoreFile('filter', 'DOCKER-USER', [
      '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
      ...openPorts.map((port) => `-o eth0 -d ${gateway} -p tcp --dport ${port} -j RETURN`),
      `-o eth0 -d ${metadata} -j DROP`,
      `-o eth0 -d ${gateway} -j DROP`,
      '-j RETURN',
    ]),
  ].join('');
}

const restoreFile = (table: string, name: string, rules: readonly string[]): string =>
  [`*${table}`, `:${name} - [0:0]`, ...rules.map((rule) => `-A ${name} ${rule}`), 'COMMIT', ''].join('\n');
