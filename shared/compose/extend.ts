import { type Context, loadFile } from './load-file.ts';
import { merge } from './merge.ts';
import { directoryOf, isRemote, joinPath } from './paths.ts';
import {
  entriesOf,
  type MapNode,
  makeMap,
  nodeAt,
  placeOf,
  type TreeNode,
  textOf,
  withEntries,
} from './tree.ts';

/** A file whose services have what they extend. Compose Specification, 05-services, "extends". */
export function withExtensions(tree: MapNode, file: string, context: Context): MapNode {
  const services = tree.entries.get('services');
  if (services?.kind !== 'map') return tree;
  const extended = [...services.entries].map(
    ([name, service]) => [name, extend(service, name, { tree, file }, context, [])] as const,
  );
  return withEntries(tree, [['services', makeMap(services, extended)]]);
}

interface Source {
  readonly tree: MapNode;
  readonly file: string;
}

function extend(
  service: TreeNode,
  name: string,
  source: Source,
  context: Context,
  chain: readonly string[],
): TreeNode {
  const wanted = nodeAt(service, 'extends');
  if (service.kind !== 'map' || wanted === undefined) return service;
  const own = withEntries(service, [['extends', undefined]]);
  const { faults } = context;
  const path = ['services', name, 'extends'];
  const here = `${source.file}#${name}`;
  if (chain.includes(here)) {
    faults.add(
      placeOf(wanted),
      path,
      `services extend each other in a circle: ${[...chain, here].join(' → ')}.`,
    );
    return own;
  }
  const file = textOf(nodeAt(wanted, 'file'));
  const baseName = textOf(nodeAt(wanted, 'service')) ?? name;
  if (file !== undefined && isRemote(file)) {
    faults.add(placeOf(wanted), path, `${file} lies on another computer, and is not fetched: copy it here.`);
    return own;
  }
  const from = file === undefined ? source : sourceOf(joinPath(context.directory, file), context, wanted);
  if (from === undefined) return own;
  const base = nodeAt(from.tree, 'services', baseName);
  if (base === undefined) {
    const known = entriesOf(nodeAt(from.tree, 'services')).map(([known]) => known);
    faults.add(
      placeOf(wanted),
      path,
      `there is no service ${baseName} in ${from.file}: expected one of ${known.join(', ') || 'none'}.`,
    );
    return own;
  }
  const within = file === undefined ? context : { ...context, directory: directoryOf(from.file) };
  const whole = extend(base, baseName, from, within, [...chain, here]);
  const { key: _, ...merged } = merge(whole, own, faults, ['services', name]);
  return { ...merged, ...(own.key === undefined ? {} : { key: own.key }) } as TreeNode;
}

/** Paths of another file are relative to that file. */
function sourceOf(file: string, context: Context, wanted: TreeNode): Source | undefined {
  const tree = loadFile(file, { ...context, directory: directoryOf(file) }, placeOf(wanted));
  return tree === undefined ? undefined : { tree, file };
}
