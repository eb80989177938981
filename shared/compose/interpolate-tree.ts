import type { Faults } from './faults.ts';
import { interpolate, TemplateFault, type Variables } from './template.ts';
import { makeList, makeMap, type Path, type TreeNode } from './tree.ts';

/** Variables in all values of a document; keys have none. */
export function interpolateTree(
  node: TreeNode,
  variables: Variables,
  faults: Faults,
  path: Path = [],
): TreeNode {
  if (node.kind === 'map')
    return makeMap(
      node,
      [...node.entries].map(([name, value]) => [
        name,
        interpolateTree(value, variables, faults, [...path, name]),
      ]),
    );
  if (node.kind === 'list')
    return makeList(
      node,
      node.items.map((item, index) => interpolateTree(item, variables, faults, [...path, index])),
    );
  if (typeof node.value !== 'string' || !node.value.includes('$')) return node;
  try {
    return { ...node, value: interpolate(node.value, variables), interpolated: true };
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    faults.add(node.at, path, error.message, error.remedy);
    return node;
  }
}
