import type { Faults } from './faults.ts';
import { canonicalPorts } from './ports.ts';
import {
  isNull,
  itemsOf,
  type MapNode,
  makeList,
  makeMap,
  makeScalar,
  type Path,
  type Scalar,
  type TreeNode,
  textOf,
  withEntries,
} from './tree.ts';
import { canonicalVolumes } from './volumes.ts';

type Rewrite = (node: TreeNode, path: Path, faults: Faults) => TreeNode;

/**
 * A file in which every short form is written out as the long one, so that merging and mapping see one form only. The file has
 * passed the schema; numbers and addresses within texts are checked here.
 */
export function canonicalFile(tree: MapNode, faults: Faults): MapNode {
  return rewriteKeys(tree, [], faults, {
    services: eachEntry((service, path) =>
      service.kind === 'map' ? rewriteKeys(service, path, faults, serviceKeys) : service,
    ),
    networks: eachEntry(resource),
    volumes: eachEntry(resource),
    configs: eachEntry(resource),
    secrets: eachEntry(resource),
    include: (node, path) =>
      eachItem((item) =>
        item.kind === 'scalar'
          ? mapOf(item, [['path', makeList(item, [bare(item)])]])
          : rewriteKeys(item, path, faults, { path: list, env_file: list }),
      )(node, path, faults),
  });
}

function rewriteKeys(
  node: TreeNode,
  path: Path,
  faults: Faults,
  table: Readonly<Record<string, Rewrite>>,
): MapNode {
  if (node.kind !== 'map') throw new Error('expected a mapping');
  return withEntries(
    node,
    Object.entries(table).flatMap(([name, rewrite]) => {
      const value = node.entries.get(name);
      if (value === undefined || isNull(value) || value.tag === 'reset') return [];
      return [[name, { ...rewrite(value, [...path, name], faults) }] as const];
    }),
  );
}

/** The node without its key: as an item of a list. */
const bare = ({ key: _, tag: __, ...node }: TreeNode): TreeNode => node as TreeNode;

const mapOf = (like: TreeNode, entries: readonly (readonly [string, TreeNode])[]): MapNode =>
  makeMap(like, entries);

const scalarOf = (like: TreeNode, value: Scalar): TreeNode => makeScalar(bare(like), value);

const eachEntry =
  (rewrite: (node: TreeNode, path: Path, faults: Faults) => TreeNode): Rewrite =>
  (node, path, faults) =>
    node.kind === 'map'
      ? makeMap(
          node,
          [...node.entries].map(([name, value]) => [name, rewrite(value, [...path, name], faults)]),
        )
      : node;

const eachItem =
  (rewrite: (node: TreeNode, path: Path) => TreeNode): Rewrite =>
  (node, path) =>
    makeList(
      node,
      itemsOf(node).map((item, index) => rewrite(item, [...path, index])),
    );

/** One text, or several. */
const list: Rewrite = (node) => (node.kind === 'scalar' ? makeList(node, [bare(node)]) : node);

/** `[A=b, C]` as `{A: b, C: null}`. */
const pairs: Rewrite = (node) => {
  if (node.kind !== 'list') return node;
  return makeMap(
    node,
    node.items.map((item) => {
      const text = textOf(item) ?? '';
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      return [name, { ...scalarOf(item, equals < 0 ? null : text.slice(equals + 1)), key: item.at }];
    }),
  );
};

/** `[name:address]` or `[name=address]` as `{name: [address, …]}`. */
const hosts: Rewrite = (node) => {
  const found = new Map<string, TreeNode[]>();
  const add = (name: string, ...addresses: TreeNode[]): void => {
    found.set(name, [...(found.get(name) ?? []), ...addresses]);
  };
  if (node.kind === 'map')
    for (const [name, value] of node.entries) add(name, ...(value.kind === 'list' ? value.items : [value]));
  for (const item of itemsOf(node)) {
    const [, name = '', address = ''] = /^([^:=]*)[:=](.*)$/.exec(textOf(item) ?? '') ?? [];
    add(name, scalarOf(item, address.replace(/^\[(.*)\]$/, '$1')));
  }
  return makeMap(
    node,
    [...found].map(([name, addresses]) => [name, makeList(addresses[0] ?? node, addresses)]),
  );
};

const names =
  (value: (item: TreeNode) => TreeNode): Rewrite =>
  (node) =>
    node.kind === 'list'
      ? makeMap(
          node,
          node.items.map((item) => [textOf(item) ?? '', { ...value(item), key: item.at }]),
        )
      : node;

const sources: Rewrite = eachItem((item) =>
  item.kind === 'scalar' ? makeMap(item, [['source', bare(item)]]) : item,
);

const dependencies: Rewrite = (node, path, faults) => {
  const map = names((item) => makeMap(bare(item), []))(node, path, faults);
  return eachEntry((value) =>
    value.kind === 'map'
      ? makeMap(value, [
          ['condition', scalarOf(value, 'service_started')],
          ['required', scalarOf(value, true)],
          ...value.entries,
        ])
      : value,
  )(map, path, faults);
};

const environmentFiles: Rewrite = (node, path, faults) =>
  eachItem((item) => (item.kind === 'scalar' ? makeMap(item, [['path', bare(item)]]) : item))(
    list(node, path, faults),
    path,
    faults,
  );

const limits: Rewrite = eachEntry((value) =>
  value.kind === 'scalar'
    ? makeMap(value, [
        ['soft', scalarOf(value, value.value)],
        ['hard', scalarOf(value, value.value)],
      ])
    : value,
);

const texts: Rewrite = eachItem((item) => scalarOf(item, textOf(item) ?? ''));

const test: Rewrite = (node) =>
  node.kind === 'scalar' ? makeList(node, [scalarOf(node, 'CMD-SHELL'), bare(node)]) : node;

const nested =
  (table: Readonly<Record<string, Rewrite>>): Rewrite =>
  (node, path, faults) =>
    node.kind === 'map' ? rewriteKeys(node, path, faults, table) : node;

const build: Rewrite = (node, path, faults) =>
  node.kind === 'scalar'
    ? makeMap(node, [['context', bare(node)]])
    : nested({
        args: pairs,
        labels: pairs,
        additional_contexts: pairs,
        extra_hosts: hosts,
        secrets: sources,
        ulimits: limits,
        ssh: list,
      })(node, path, faults);

const serviceKeys: Readonly<Record<string, Rewrite>> = {
  annotations: pairs,
  build,
  configs: sources,
  depends_on: dependencies,
  deploy: nested({ labels: pairs }),
  dns: list,
  dns_search: list,
  env_file: environmentFiles,
  environment: pairs,
  expose: texts,
  extends: (node) => (node.kind === 'scalar' ? makeMap(node, [['service', bare(node)]]) : node),
  extra_hosts: hosts,
  healthcheck: nested({ test }),
  label_file: list,
  labels: pairs,
  networks: names((item) => scalarOf(item, null)),
  ports: canonicalPorts,
  secrets: sources,
  sysctls: pairs,
  tmpfs: list,
  ulimits: limits,
  volumes: canonicalVolumes,
};

/** `external: {name: x}` is an old form of `external: true` with `name: x`. */
function resource(node: TreeNode, path: Path, faults: Faults): TreeNode {
  if (node.kind !== 'map') return node;
  const external = node.entries.get('external');
  const name = external?.kind === 'map' ? external.entries.get('name') : undefined;
  const plainNode =
    external?.kind === 'map'
      ? withEntries(node, [
          ['external', makeScalar(external, true)],
          ['name', name ?? node.entries.get('name')],
        ])
      : node;
  return rewriteKeys(plainNode, path, faults, { labels: pairs });
}
