import { canonicalFile } from './canonical.ts';
import type { Faults } from './faults.ts';
import { interpolateTree } from './interpolate-tree.ts';
import { merge } from './merge.ts';
import { readTrees } from './read-tree.ts';
import { resolvePaths } from './resolve-paths.ts';
import { checkSchema } from './schema.ts';
import type { Variables } from './template.ts';
import type { MapNode, Place } from './tree.ts';

/** Files, by the path that a user or a compose file gives; undefined for one that is not there. */
export type ReadFile = (path: string) => string | undefined;

/** What a file is read in. */
export interface Context {
  readonly read: ReadFile;
  readonly faults: Faults;
  readonly variables: Variables;
  /** What relative paths are relative to. */
  readonly directory: string;
  /** The user's home, for `~/`. */
  readonly home: string;
}

/** @returns undefined if the file cannot be gone on with; `faults` says why */
export function loadFile(path: string, context: Context, asked?: Place): MapNode | undefined {
  const { read, faults, variables, directory, home } = context;
  const begin: Place = { file: path, line: 1, column: 1 };
  const text = read(path);
  if (text === undefined) {
    faults.add(asked ?? begin, [], `there is no file ${path}.`);
    return undefined;
  }
  const trees = readTrees(text, path, faults);
  let result: MapNode | undefined;
  for (const tree of trees) {
    if (tree.kind !== 'map') {
      faults.add(tree.at, [], 'expected a mapping with the key services.');
      continue;
    }
    const filled = interpolateTree(tree, variables, faults);
    const checked = checkSchema(withoutNothing(filled as MapNode), faults);
    if (!faults.isEmpty || checked.kind !== 'map') continue;
    const canonical = resolvePaths(canonicalFile(checked, faults), directory, home);
    result = result === undefined ? canonical : (merge(result, canonical, faults) as MapNode);
  }
  if (trees.length === 0 && faults.isEmpty) faults.add(begin, [], 'the file is empty: expected services.');
  return result;
}

/** `volumes:` without anything below it is as if it were not there. */
function withoutNothing(tree: MapNode): MapNode {
  return {
    ...tree,
    entries: new Map([...tree.entries].filter(([, node]) => node.kind !== 'scalar' || node.value !== null)),
  };
}
