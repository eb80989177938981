import { parseEnvironmentFile, parseRawEnvironmentFile } from './dotenv.ts';
import type { Context } from './load-file.ts';
import {
  entriesOf,
  itemsOf,
  type MapNode,
  makeMap,
  makeScalar,
  nodeAt,
  placeOf,
  type TreeNode,
  textOf,
  withEntries,
} from './tree.ts';

/**
 * A service whose `environment` has the variables of its files, `env_file`, which its own come after; what has no value is
 * passed through from the user's environment, or not there. Labels of `label_file` likewise.
 */
export function withEnvironment(service: MapNode, name: string, context: Context): MapNode {
  const environment = new Map<string, TreeNode>();
  for (const [index, file] of itemsOf(nodeAt(service, 'env_file')).entries())
    for (const entry of fileEntries(file, ['services', name, 'env_file', index], context))
      environment.set(...entry);
  for (const [key, node] of entriesOf(nodeAt(service, 'environment'))) {
    const value = textOf(node) ?? context.variables(key);
    if (value === undefined) environment.delete(key);
    else environment.set(key, node.kind === 'scalar' ? { ...node, value } : node);
  }
  const labels = new Map<string, TreeNode>();
  for (const [index, file] of itemsOf(nodeAt(service, 'label_file')).entries())
    for (const entry of fileEntries(
      makeMap(file, [['path', file]]),
      ['services', name, 'label_file', index],
      context,
    ))
      labels.set(...entry);
  for (const [key, node] of entriesOf(nodeAt(service, 'labels'))) labels.set(key, node);
  const put = (key: string, file: string, entries: ReadonlyMap<string, TreeNode>) => {
    const like = service.entries.get(key) ?? service.entries.get(file);
    return [key, like === undefined ? undefined : makeMap(like, entries)] as const;
  };
  return withEntries(service, [
    put('environment', 'env_file', environment),
    put('labels', 'label_file', labels),
    ['env_file', undefined],
    ['label_file', undefined],
  ]);
}

function fileEntries(
  item: TreeNode,
  keys: readonly (string | number)[],
  { read, faults, variables }: Context,
): readonly (readonly [string, TreeNode])[] {
  const path = textOf(nodeAt(item, 'path')) ?? '';
  const text = read(path);
  if (text === undefined) {
    if (textOf(nodeAt(item, 'required')) !== 'false')
      faults.add(placeOf(item), keys, `there is no file ${path}. Make it, or say required: false.`);
    return [];
  }
  const isRaw = textOf(nodeAt(item, 'format')) === 'raw';
  const parsed = isRaw ? parseRawEnvironmentFile(text) : parseEnvironmentFile(text, variables);
  for (const { line, column, message } of parsed.faults)
    faults.add({ file: path, line, column }, [], message);
  return [...parsed.values].map(([name, value]) => [name, { ...makeScalar(item, value), key: item.at }]);
}
