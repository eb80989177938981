import { parseEnvironmentFile } from './dotenv.ts';
import { withExtensions } from './extend.ts';
import type { Faults } from './faults.ts';
import { type Context, loadFile } from './load-file.ts';
import { merge } from './merge.ts';
import { directoryOf, isRemote, joinPath } from './paths.ts';
import type { Variables } from './template.ts';
import {
  entriesOf,
  itemsOf,
  type MapNode,
  makeMap,
  nodeAt,
  type Place,
  placeOf,
  plain,
  type TreeNode,
  textOf,
  withEntries,
} from './tree.ts';

/** Several files, each over those before it, with what they extend and include. */
export function loadFiles(
  files: readonly string[],
  context: Context,
  including: readonly string[] = [],
  asked?: Place,
): MapNode | undefined {
  let result: MapNode | undefined;
  for (const file of files) {
    const tree = loadFile(file, context, asked);
    if (tree === undefined) continue;
    const whole = withIncluded(withExtensions(tree, file, context), context, [
      ...including,
      joinPath('.', file),
    ]);
    result = result === undefined ? whole : (merge(result, whole, context.faults) as MapNode);
  }
  return result;
}

/** Compose Specification, 14-include: an included project has a directory and variables of its own. */
function withIncluded(tree: MapNode, context: Context, including: readonly string[]): MapNode {
  const included = tree.entries.get('include');
  let result = withEntries(tree, [['include', undefined]]);
  for (const [index, item] of itemsOf(included).entries()) {
    const { faults, directory } = context;
    const path = ['include', index];
    const files = itemsOf(nodeAt(item, 'path')).map((node) => textOf(node) ?? '');
    const remote = files.find(isRemote);
    const paths = files.map((file) => joinPath(directory, file));
    const circle = paths.find((file) => including.includes(file));
    if (remote !== undefined)
      faults.add(
        placeOf(item),
        path,
        `${remote} lies on another computer, and is not fetched: copy it here.`,
      );
    else if (circle !== undefined)
      faults.add(
        placeOf(item),
        path,
        `files include each other in a circle: ${[...including, circle].join(' → ')}.`,
      );
    else {
      const inside = includedContext(item, paths[0] ?? '', context);
      const imported = loadFiles(paths, inside, including, item.at);
      if (imported !== undefined) result = withImported(result, imported, faults);
    }
  }
  return result;
}

function includedContext(item: TreeNode, first: string, context: Context): Context {
  const own = textOf(nodeAt(item, 'project_directory'));
  const directory = own === undefined ? directoryOf(first) : joinPath(context.directory, own);
  const named = itemsOf(nodeAt(item, 'env_file'));
  const files =
    named.length > 0
      ? named.map((node) => ({ path: joinPath(context.directory, textOf(node) ?? ''), asked: node.at }))
      : [{ path: joinPath(directory, '.env'), asked: undefined }];
  const variables = withEnvironmentFiles(context.variables, files, context);
  return { ...context, directory, variables };
}

/**
 * Variables of files, the later before the earlier, and of `known` before both.
 * @param files with `asked` must be there
 */
export function withEnvironmentFiles(
  known: Variables,
  files: readonly { readonly path: string; readonly asked: Place | undefined }[],
  { read, faults }: Pick<Context, 'read' | 'faults'>,
): Variables {
  const found = new Map<string, string>();
  for (const { path, asked } of files) {
    if (path === '/dev/null') continue;
    const text = read(path);
    if (text === undefined) {
      if (asked !== undefined) faults.add(asked, [], `there is no file ${path}.`);
      continue;
    }
    const parsed = parseEnvironmentFile(text, (name) => known(name) ?? found.get(name));
    for (const { line, column, message } of parsed.faults)
      faults.add({ file: path, line, column }, [], message);
    for (const [name, value] of parsed.values) found.set(name, value);
  }
  return (name) => known(name) ?? found.get(name);
}

/** What is included must not say something else under a name that is taken: what is meant so is an override file. */
function withImported(tree: MapNode, imported: MapNode, faults: Faults): MapNode {
  return withEntries(
    tree,
    ['services', 'volumes', 'networks', 'configs', 'secrets', 'models'].flatMap((kind) => {
      const there = tree.entries.get(kind);
      const more = imported.entries.get(kind);
      if (more === undefined || there === undefined) return more === undefined ? [] : [[kind, more] as const];
      const entries = new Map(entriesOf(there));
      for (const [name, node] of entriesOf(more)) {
        const before = entries.get(name);
        if (before === undefined) entries.set(name, node);
        else if (JSON.stringify(plain(before)) !== JSON.stringify(plain(node))) {
          const { file, line } = placeOf(node);
          faults.add(
            placeOf(before),
            [kind, name],
            `${file}:${line}, which is included, says something else under this name. To change what is included, name a second file below its path.`,
          );
        }
      }
      return [[kind, makeMap(there, entries)] as const];
    }),
  );
}
