import type { Faults } from './faults.ts';
import {
  itemsOf,
  makeList,
  makeMap,
  makeScalar,
  nodeAt,
  type Path,
  type Scalar,
  type TreeNode,
  textOf,
} from './tree.ts';

const SHORT =
  /^(?:(?<host>\[[^\]]+\]|[^:[\]]+):(?=[^:]*:))?(?:(?<published>[\d-]*):)?(?<target>\d+(?:-\d+)?)(?:\/(?<protocol>[a-z]+))?$/;

/** `[HOST:][PUBLISHED:]TARGET[/PROTOCOL]`, with ranges, as mappings of one port each. */
export function canonicalPorts(node: TreeNode, path: Path, faults: Faults): TreeNode {
  const items = itemsOf(node).flatMap((item, index) =>
    item.kind === 'map' ? long(item) : short(item, [...path, index], faults),
  );
  return makeList(node, items);
}

function long(item: TreeNode): readonly TreeNode[] {
  if (item.kind !== 'map') return [item];
  const published = textOf(nodeAt(item, 'published'));
  return [
    makeMap(item, [
      ['mode', makeScalar(item, 'ingress')],
      ['protocol', makeScalar(item, 'tcp')],
      ...item.entries,
      ...(published === undefined ? [] : ([['published', makeScalar(item, published)]] as const)),
    ]),
  ];
}

function short(item: TreeNode, path: Path, faults: Faults): readonly TreeNode[] {
  const text = textOf(item) ?? '';
  const match = SHORT.exec(text)?.groups;
  const targets = rangeOf(match?.['target']);
  const published = match?.['published'] ? rangeOf(match['published']) : undefined;
  const isLegal =
    match !== undefined &&
    targets !== undefined &&
    (published !== undefined || !match['published']) &&
    (published === undefined || published.length === targets.length || targets.length === 1) &&
    ['tcp', 'udp', 'sctp', undefined].includes(match['protocol']);
  if (!isLegal) {
    faults.add(
      item.at,
      path,
      `"${text}" is no port: expected CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, each 1 to 65535 or a range of the same length, and /udp behind it where that is meant.`,
    );
    return [];
  }
  const { host, protocol = 'tcp' } = match;
  return targets.map((target, index) => {
    // Several host ports for one of the container: any of them.
    const chosen =
      published === undefined
        ? undefined
        : published.length === targets.length
          ? String(published[index])
          : match['published'];
    const entries: (readonly [string, Scalar])[] = [
      ['mode', 'ingress'],
      ['protocol', protocol],
      ['target', target],
      ...(chosen === undefined ? [] : ([['published', chosen]] as const)),
      ...(host === undefined ? [] : ([['host_ip', host.replace(/^\[(.*)\]$/, '$1')]] as const)),
    ];
    return makeMap(
      item,
      entries.map(([name, value]) => [name, makeScalar(item, value)]),
    );
  });
}

/** `8000-8003` as its four numbers. */
export function rangeOf(text: string | undefined): readonly number[] | undefined {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text ?? '') ?? [];
  const [begin, end] = [Number(first), Number(last || first)];
  if (first === '' || begin < 1 || end > 65_535 || end < begin || end - begin > 1000) return undefined;
  return Array.from({ length: end - begin + 1 }, (_, index) => begin + index);
}
