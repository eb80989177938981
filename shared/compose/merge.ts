import type { Faults } from './faults.ts';
import { type MapNode, nodeAt, type Path, placeOf, plain, type TreeNode, textOf } from './tree.ts';

/**
 * What two canonical files say together. Compose Specification, 13-merge: mappings are merged key by key, a later scalar
 * replaces an earlier one, lists are appended, and items of lists that name the same thing replace each other. Commands are
 * replaced as a whole. `!reset` and `!override` stay on what they say, so that it does not matter in which order files are
 * merged: merge(a, merge(b, c)) equals merge(merge(a, b), c).
 */
export function merge(base: TreeNode, over: TreeNode, faults: Faults, path: Path = []): TreeNode {
  if (over.tag !== undefined) return over;
  const merged = mergeUntagged(base, over, faults, path);
  return base.tag === undefined ? merged : { ...merged, tag: 'override' };
}

function mergeUntagged(base: TreeNode, over: TreeNode, faults: Faults, path: Path): TreeNode {
  if (base.tag === 'reset' || isReplaced(path)) return over;
  if (over.kind === 'scalar' && over.value === null && base.kind !== 'scalar') return base;
  if (base.kind === 'scalar' && base.value === null) return over;
  if (base.kind !== over.kind) {
    const { file, line } = placeOf(base);
    faults.add(
      placeOf(over),
      path,
      `cannot be merged with what ${file}:${line} says: expected the same form.`,
    );
    return base;
  }
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over, faults, path);
  if (base.kind === 'list' && over.kind === 'list')
    return { ...over, items: unified([...base.items, ...over.items], path, value) };
  return over;
}

function mergeMaps(base: MapNode, over: MapNode, faults: Faults, path: Path): MapNode {
  if (isPattern(path, 'services', '*', 'logging')) {
    const [before, after] = [textOf(nodeAt(base, 'driver')), textOf(nodeAt(over, 'driver'))];
    if (before !== undefined && after !== undefined && before !== after) return over;
  }
  const entries = new Map(base.entries);
  for (const [name, value] of over.entries) {
    const before = entries.get(name);
    entries.set(name, before === undefined ? value : merge(before, value, faults, [...path, name]));
  }
  return { ...over, entries };
}

const isPattern = (path: Path, ...pattern: readonly string[]): boolean =>
  path.length === pattern.length && pattern.every((step, index) => step === '*' || step === path[index]);

const isReplaced = (path: Path): boolean =>
  isPattern(path, 'services', '*', 'command') ||
  isPattern(path, 'services', '*', 'entrypoint') ||
  isPattern(path, 'services', '*', 'healthcheck', 'test') ||
  isPattern(path, 'services', '*', 'ulimits', '*');

type Identity = (item: TreeNode) => string;

const value: Identity = (item) => JSON.stringify(plain(item));
const port: Identity = (item) => {
  const part = (name: string, usual: string) => textOf(nodeAt(item, name)) ?? usual;
  return `${part('host_ip', '0.0.0.0')}:${part('published', '')}:${part('target', '')}/${part('protocol', 'tcp')}`;
};
const field =
  (name: string): Identity =>
  (item) =>
    item.kind === 'map' ? (textOf(nodeAt(item, name)) ?? '') : value(item);
const mount =
  (folder: string): Identity =>
  (item) => {
    const target = textOf(nodeAt(item, 'target')) ?? textOf(nodeAt(item, 'source')) ?? value(item);
    return target.startsWith('/') ? target : `${folder}/${target}`;
  };

/** What an item of a list is recognised by, also within one file. What is appended to other lists comes once. */
const identities: Readonly<Record<string, Identity>> = {
  cap_add: value,
  cap_drop: value,
  configs: mount(''),
  devices: (item) =>
    item.kind === 'scalar'
      ? (textOf(item)?.split(':')[1] ?? value(item))
      : (textOf(nodeAt(item, 'target')) ?? value(item)),
  dns: value,
  dns_opt: value,
  dns_search: value,
  env_file: field('path'),
  expose: value,
  label_file: value,
  links: value,
  ports: port,
  profiles: value,
  secrets: mount('/run/secrets'),
  tmpfs: (item) => textOf(item)?.split(':')[0] ?? value(item),
  volumes: field('target'),
};

/** An item that comes again stands where it stood first. */
function unified(items: readonly TreeNode[], path: Path, usual?: Identity): readonly TreeNode[] {
  const identity = path.length === 3 && path[0] === 'services' ? identities[String(path[2])] : undefined;
  const known = identity ?? usual;
  if (known === undefined) return items;
  const found = new Map<string, TreeNode>();
  for (const item of items) found.set(known(item), item);
  return [...found.values()];
}

/** Takes away what comes twice within one file, once there is nothing more to merge. */
export const withoutRepeats = (node: TreeNode, path: Path = []): TreeNode => {
  if (node.kind === 'list') return { ...node, items: unified(node.items, path) };
  if (node.kind !== 'map' || path.length > 2) return node;
  const entries = [...node.entries].map(
    ([name, entry]) => [name, withoutRepeats(entry, [...path, name])] as const,
  );
  return { ...node, entries: new Map(entries) };
};

/** Takes away what `!reset` left, once there is nothing more to merge. */
export function withoutResets(node: TreeNode): TreeNode {
  if (node.kind === 'map')
    return {
      ...node,
      entries: new Map(
        [...node.entries]
          .filter(([, entry]) => entry.tag !== 'reset')
          .map(([name, entry]) => [name, withoutResets(entry)]),
      ),
    };
  if (node.kind === 'list')
    return { ...node, items: node.items.filter((item) => item.tag !== 'reset').map(withoutResets) };
  return node;
}
