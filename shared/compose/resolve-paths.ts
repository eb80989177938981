import { isAbsolute, isRemote, joinPath } from './paths.ts';
import { type MapNode, makeList, makeMap, nodeAt, type TreeNode, textOf, withEntries } from './tree.ts';

/** Paths of a canonical file, which are relative to `directory`, as they are from where the user is. */
export function resolvePaths(tree: MapNode, directory: string, home: string): MapNode {
  const path = (node: TreeNode): TreeNode => {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || isRemote(node.value)) return node;
    const value = node.value.replace(/^~(?=\/|$)/, home);
    const relative = isAbsolute(node.value) ? {} : ({ relative: true } as const);
    return { ...node, value: joinPath(directory, value), ...relative };
  };
  const at = (node: TreeNode, name: string, change: (node: TreeNode) => TreeNode): TreeNode => {
    const value = nodeAt(node, name);
    return node.kind !== 'map' || value === undefined ? node : withEntries(node, [[name, change(value)]]);
  };
  const each =
    (change: (node: TreeNode) => TreeNode) =>
    (node: TreeNode): TreeNode =>
      node.kind === 'list'
        ? makeList(node, node.items.map(change))
        : node.kind === 'map'
          ? makeMap(
              node,
              [...node.entries].map(([name, value]) => [name, change(value)]),
            )
          : node;
  const service = (node: TreeNode): TreeNode => {
    let result = at(node, 'build', (build) =>
      at(
        at(build, 'context', path),
        'additional_contexts',
        each((context) => (/^[a-z-]+:/i.test(textOf(context) ?? '') ? context : path(context))),
      ),
    );
    result = at(
      result,
      'env_file',
      each((item) => at(item, 'path', path)),
    );
    result = at(result, 'label_file', each(path));
    return at(
      result,
      'volumes',
      each((mount) => (textOf(nodeAt(mount, 'type')) === 'bind' ? at(mount, 'source', path) : mount)),
    );
  };
  let result: TreeNode = at(tree, 'services', each(service));
  for (const kind of ['configs', 'secrets'])
    result = at(
      result,
      kind,
      each((item) => at(item, 'file', path)),
    );
  return result as MapNode;
}
