/** Where something stands in a file; line and column begin at 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `!reset` takes away what files before say; `!override` replaces it. Compose Specification, 13-merge. */
export type Tag = 'reset' | 'override';

interface Standing {
  readonly at: Place;
  /** Where the key stands that it is the value of. */
  readonly key?: Place;
  readonly tag?: Tag;
}

export interface MapNode extends Standing {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TreeNode>;
}

export interface ListNode extends Standing {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode extends Standing {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** A text that came of variables: it may stand for a number or a boolean. */
  readonly interpolated?: true;
  /** A path that was written as one of the user's computer: relative, or below the home. */
  readonly relative?: true;
}

/** A document of which every part still knows where it was written. */
export type TreeNode = MapNode | ListNode | ScalarNode;

export type Path = readonly (string | number)[];

export const pathText = (path: Path): string => path.map(String).join('.');

/** Where to send somebody who looks for this: the key if it has one. */
export const placeOf = (node: TreeNode): Place => node.key ?? node.at;

export const makeScalar = (like: TreeNode, value: Scalar): ScalarNode => ({
  kind: 'scalar',
  value,
  ...standing(like),
});

export const makeMap = (like: TreeNode, entries: Iterable<readonly [string, TreeNode]>): MapNode => ({
  kind: 'map',
  entries: new Map(entries),
  ...standing(like),
});

export const makeList = (like: TreeNode, items: readonly TreeNode[]): ListNode => ({
  kind: 'list',
  items,
  ...standing(like),
});

function standing({ at, key, tag }: TreeNode): Standing {
  return { at, ...(key === undefined ? {} : { key }), ...(tag === undefined ? {} : { tag }) };
}

/** The node that lies under these keys; undefined where there is none. */
export function nodeAt(node: TreeNode | undefined, ...path: Path): TreeNode | undefined {
  let found = node;
  for (const step of path) {
    if (found?.kind === 'map') found = found.entries.get(String(step));
    else if (found?.kind === 'list') found = found.items[Number(step)];
    else return undefined;
  }
  return found;
}

export const entriesOf = (node: TreeNode | undefined): readonly (readonly [string, TreeNode])[] =>
  node?.kind === 'map' ? [...node.entries] : [];

export const itemsOf = (node: TreeNode | undefined): readonly TreeNode[] =>
  node?.kind === 'list' ? node.items : [];

/** A scalar as text; undefined for null, maps and lists. */
export const textOf = (node: TreeNode | undefined): string | undefined =>
  node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;

export const isNull = (node: TreeNode | undefined): boolean => node?.kind === 'scalar' && node.value === null;

/** With these keys set, or taken away where the value is undefined. */
export function withEntries(
  node: MapNode,
  changes: Iterable<readonly [string, TreeNode | undefined]>,
): MapNode {
  const entries = new Map(node.entries);
  for (const [name, value] of changes)
    if (value === undefined) entries.delete(name);
    else entries.set(name, value);
  return { ...node, entries };
}

/** What it says, without where. */
export function plain(node: TreeNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([name, value]) => [name, plain(value)]));
}
