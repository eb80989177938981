import type { Faults } from './faults.ts';
import { entriesOf, itemsOf, type MapNode, nodeAt, placeOf, type TreeNode, textOf } from './tree.ts';

/** Names that services use and nobody declares, and services that wait for each other. */
export function checkReferences(
  project: MapNode,
  disabled: ReadonlyMap<string, readonly string[]>,
  faults: Faults,
): void {
  const services = new Map(entriesOf(nodeAt(project, 'services')));
  for (const [name, service] of services) {
    const path = ['services', name];
    for (const [other, condition] of entriesOf(nodeAt(service, 'depends_on')))
      if (!services.has(other) && textOf(nodeAt(condition, 'required')) !== 'false')
        faults.add(placeOf(condition), [...path, 'depends_on', other], absent(other, disabled));
    for (const [index, mount] of itemsOf(nodeAt(service, 'volumes')).entries()) {
      const source = textOf(nodeAt(mount, 'source'));
      if (textOf(nodeAt(mount, 'type')) === 'volume' && source !== undefined)
        declared(project, 'volumes', source, mount, [...path, 'volumes', index], faults);
    }
    for (const [network, node] of entriesOf(nodeAt(service, 'networks')))
      if (network !== 'default')
        declared(project, 'networks', network, node, [...path, 'networks', network], faults);
    for (const kind of ['configs', 'secrets'])
      for (const [index, item] of itemsOf(nodeAt(service, kind)).entries())
        declared(project, kind, textOf(nodeAt(item, 'source')) ?? '', item, [...path, kind, index], faults);
  }
  checkCircles(services, faults);
}

function declared(
  project: MapNode,
  kind: string,
  name: string,
  node: TreeNode,
  path: readonly (string | number)[],
  faults: Faults,
): void {
  if (nodeAt(project, kind, name) !== undefined) return;
  faults.add(placeOf(node), path, `"${name}" is not declared: name it under ${kind} at the top of the file.`);
}

function absent(name: string, disabled: ReadonlyMap<string, readonly string[]>): string {
  const profiles = disabled.get(name);
  return profiles === undefined
    ? `there is no service ${name}.`
    : `the service ${name} is left out, since none of its profiles is chosen: add --profile ${profiles[0]}, or say required: false.`;
}

function checkCircles(services: ReadonlyMap<string, TreeNode>, faults: Faults): void {
  const done = new Set<string>();
  const visit = (name: string, chain: readonly string[]): void => {
    const service = services.get(name);
    if (service === undefined || done.has(name)) return;
    const begin = chain.indexOf(name);
    if (begin >= 0) {
      const circle = [...chain.slice(begin), name];
      const node = nodeAt(service, 'depends_on') ?? service;
      faults.add(
        placeOf(node),
        ['services', name, 'depends_on'],
        `services wait for each other in a circle: ${circle.join(' → ')}.`,
      );
      done.add(name);
      return;
    }
    for (const [other] of entriesOf(nodeAt(service, 'depends_on'))) visit(other, [...chain, name]);
    done.add(name);
  };
  for (const name of services.keys()) visit(name, []);
}
