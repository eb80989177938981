import type { Faults } from './faults.ts';
import {
  itemsOf,
  makeList,
  makeMap,
  makeScalar,
  type Path,
  type Scalar,
  type TreeNode,
  textOf,
} from './tree.ts';

/** `[SOURCE:]TARGET[:OPTIONS]` as mappings. A source that is a path is bound from the machine, any other names a volume. */
export function canonicalVolumes(node: TreeNode, path: Path, faults: Faults): TreeNode {
  return makeList(
    node,
    itemsOf(node).flatMap((item, index) =>
      item.kind === 'map' ? [item] : short(item, [...path, index], faults),
    ),
  );
}

const FLAGS = new Set(['rw', 'z', 'Z', 'cached', 'consistent', 'delegated', 'default', 'copy']);
const PROPAGATION = new Set(['shared', 'slave', 'private', 'rshared', 'rslave', 'rprivate']);

function short(item: TreeNode, path: Path, faults: Faults): readonly TreeNode[] {
  const text = textOf(item) ?? '';
  const parts = text.split(':');
  const [first = '', second, options = ''] = parts;
  const source = second === undefined ? undefined : first;
  const target = second ?? first;
  const flags = options === '' ? [] : options.split(',');
  const wrong = flags.filter(
    (flag) => !FLAGS.has(flag) && !PROPAGATION.has(flag) && flag !== 'ro' && flag !== 'nocopy',
  );
  if (parts.length > 3 || !target.startsWith('/') || source === '' || wrong.length > 0) {
    faults.add(
      item.at,
      path,
      `"${text}" is no mount: expected /TARGET, NAME:/TARGET or ./SOURCE:/TARGET, with :ro behind it where that is meant.`,
    );
    return [];
  }
  const isBind = source !== undefined && /^[./~]/.test(source);
  const value = (scalar: Scalar): TreeNode => makeScalar(item, scalar);
  const propagation = flags.find((flag) => PROPAGATION.has(flag));
  return [
    makeMap(item, [
      ['type', value(isBind ? 'bind' : 'volume')],
      ...(source === undefined ? [] : ([['source', value(source)]] as const)),
      ['target', value(target.length > 1 ? target.replace(/\/+$/, '') : target)],
      ...(flags.includes('ro') ? ([['read_only', value(true)]] as const) : []),
      ...(flags.includes('nocopy') ? ([['volume', makeMap(item, [['nocopy', value(true)]])]] as const) : []),
      ...(propagation === undefined
        ? []
        : ([['bind', makeMap(item, [['propagation', value(propagation)]])]] as const)),
    ]),
  ];
}
