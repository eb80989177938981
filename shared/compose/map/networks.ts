import type { ComposeProject } from '../project.ts';
import { entriesOf, isNull, nodeAt, textOf } from '../tree.ts';
import type { Outcome } from './outcome.ts';
import type { Rule } from './rule.ts';

export const networkMode: Rule = (node, here) => {
  const mode = textOf(node) ?? '';
  if (mode === 'bridge' || mode === 'default') return undefined;
  here.outcome.refuse(
    node,
    here.path,
    /^(service|container):/.test(mode)
      ? 'a container that shares the network of another is a sidecar of its service in a berth.yaml: berth import, then move it there.'
      : `each container of Berth has a network of its own: expected bridge, found ${mode}.`,
  );
  return undefined;
};

/**
 * All services of an environment reach each other by name, and those of another environment do not. Networks that keep services
 * of one application apart are what Berth has not.
 */
export function mapNetworks(project: ComposeProject, outcome: Outcome): void {
  const memberships = [...project.services].map(([name, service]) => ({
    name,
    node: nodeAt(service, 'networks'),
    networks: new Set(networksOf(project, name)),
  }));
  for (const { name, node, networks } of memberships) {
    if (node === undefined) continue;
    const path = ['services', name, 'networks'];
    const apart = memberships.find((other) => ![...networks].some((network) => other.networks.has(network)));
    if (apart !== undefined)
      outcome.refuse(
        node,
        path,
        `no network joins ${name} and ${apart.name}, but all containers of an environment reach each other: what must be apart belongs into two environments. Without that: --ignore networks.`,
      );
    for (const [network, options] of entriesOf(node))
      for (const [key, value] of entriesOf(options))
        if (
          !['priority', 'gw_priority'].includes(key) &&
          !key.startsWith('x-') &&
          !isOwnName(name, key, value)
        )
          outcome.refuse(value, [...path, network, key], refusalOf(key));
  }
  for (const [name, network] of entriesOf(project.tree.entries.get('networks'))) {
    const path = ['networks', name];
    if (isNull(network)) continue;
    for (const [key, value] of entriesOf(network)) {
      const text = textOf(value);
      const isUsual =
        ['name', 'labels', 'attachable', 'enable_ipv4'].includes(key) ||
        key.startsWith('x-') ||
        (key === 'driver' && ['bridge', 'overlay', 'default'].includes(text ?? '')) ||
        (['internal', 'external', 'enable_ipv6'].includes(key) && text === 'false');
      if (!isUsual) outcome.refuse(value, [...path, key], topRefusal(key, name));
    }
  }
}

const networksOf = (project: ComposeProject, service: string): readonly string[] => {
  const node = project.services.get(service);
  if (nodeAt(node, 'network_mode') !== undefined) return ['default'];
  const names = entriesOf(nodeAt(node, 'networks')).map(([name]) => name);
  return names.length === 0 ? ['default'] : names;
};

const isOwnName = (service: string, key: string, value: Parameters<typeof entriesOf>[0]): boolean =>
  key === 'aliases' && value?.kind === 'list' && value.items.every((item) => textOf(item) === service);

const refusalOf = (key: string): string =>
  key === 'aliases'
    ? 'services reach each other by the name of the service alone: rename the service, or use its name.'
    : 'Berth chooses addresses of containers itself.';

const topRefusal = (key: string, name: string): string =>
  key === 'external'
    ? `services of other applications of the environment are reached as SERVICE.APPLICATION, without a network: take ${name} out.`
    : key === 'internal'
      ? 'Berth does not close the way out of a container.'
      : "Berth's machines are joined by one network, which it sets up itself.";
