import type { InboundRule } from '../../machine-runtime/machine-runtime.ts';
import { type Block, complement, contains, formatBlock, parseBlock } from './ipv4.ts';
import {
  DEFAULT_RULES,
  destinationPorts,
  destinations,
  joined,
  type RuleBody,
  sources,
} from './security-rules.ts';

/** Azure's load balancer probes and platform come from this address. */
const PLATFORM = '168.63.129.16/32';

/**
 * What one security group says about one machine, in the order of priority, service tags resolved. Pure.
 * @param groups ids of the application security groups that the machine joined
 */
export function rulesFor(
  group: readonly RuleBody[],
  address: string,
  space: readonly string[],
  groups: readonly string[] = [],
): readonly InboundRule[] {
  const machine = parseBlock(address);
  const joins = (rule: RuleBody): boolean =>
    joined(rule).some((id) => groups.some((own) => own.toLowerCase() === id.toLowerCase()));
  return [...group, ...DEFAULT_RULES]
    .filter(({ properties }) => properties.direction === 'Inbound')
    .sort((a, b) => a.properties.priority - b.properties.priority)
    .filter((rule) => joins(rule) || covers(resolve(destinations(rule), space), machine))
    .map((rule) => ({
      name: rule.name,
      priority: rule.properties.priority,
      access: rule.properties.access as InboundRule['access'],
      protocol: rule.properties.protocol as InboundRule['protocol'],
      sources: resolve(sources(rule), space),
      ports: destinationPorts(rule).includes('*') ? ['*'] : destinationPorts(rule),
    }));
}

/** Traffic must pass the subnet's group and the NIC's: the first match in each decides, and both must allow. */
export function combine(
  outer: readonly InboundRule[],
  inner: readonly InboundRule[],
): readonly InboundRule[] {
  const rules = outer.flatMap((a) =>
    inner.flatMap((b) => {
      const protocol = a.protocol === '*' ? b.protocol : a.protocol;
      const sources = meetSources(a.sources, b.sources);
      const ports = meetPorts(a.ports, b.ports);
      if ((b.protocol !== '*' && b.protocol !== protocol) || sources.length === 0 || ports.length === 0)
        return [];
      const access: InboundRule['access'] = a.access === 'Allow' && b.access === 'Allow' ? 'Allow' : 'Deny';
      return [{ name: `${a.name}+${b.name}`, priority: 0, access, protocol, sources, ports }];
    }),
  );
  return rules.map((rule, index) => ({ ...rule, priority: 100 + index }));
}

function resolve(prefixes: readonly string[], space: readonly string[]): readonly string[] {
  const all = prefixes.flatMap((prefix) => {
    switch (prefix.toLowerCase()) {
      case '*':
        return ['*'];
      case 'virtualnetwork':
        return space;
      case 'azureloadbalancer':
        return [PLATFORM];
      case 'internet':
        return complement(space.flatMap((block) => parseBlock(block) ?? [])).map(formatBlock);
      default:
        return [prefix];
    }
  });
  return all.includes('*') || all.includes('0.0.0.0/0') ? ['*'] : all;
}

const covers = (prefixes: readonly string[], machine: Block | undefined): boolean =>
  prefixes.some((prefix) => {
    if (prefix === '*') return true;
    const block = parseBlock(prefix);
    return machine !== undefined && block !== undefined && contains(block, machine);
  });

function meetSources(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.includes('*')) return b;
  if (b.includes('*')) return a;
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const [x, y] = [parseBlock(one), parseBlock(other)];
      if (x === undefined || y === undefined) return [];
      if (contains(x, y)) return [other];
      return contains(y, x) ? [one] : [];
    }),
  );
}

function meetPorts(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.includes('*')) return b;
  if (b.includes('*')) return a;
  const range = (text: string): readonly [number, number] => {
    const [from = '', to = from] = text.split('-');
    return [Number(from), Number(to)];
  };
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const [[from1, to1], [from2, to2]] = [range(one), range(other)];
      const [from, to] = [Math.max(from1, from2), Math.min(to1, to2)];
      if (from > to) return [];
      return [from === to ? String(from) : `${from}-${to}`];
    }),
  );
}
