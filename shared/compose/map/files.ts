import { itemsOf, nodeAt, type TreeNode, textOf } from '../tree.ts';
import { octal } from './mounts.ts';
import { comesFrom, type Fields, type Rule } from './rule.ts';

/** Uses of configs and secrets by a service. */
export const uses =
  (field: 'configs' | 'secrets', name: 'config' | 'secret'): Rule =>
  (node, here) => ({
    [field]: itemsOf(node).map((item, index) => {
      const target = textOf(nodeAt(item, 'target'));
      comesFrom(here, item, [field, index]);
      return {
        [name]: textOf(nodeAt(item, 'source')) ?? '',
        ...(target === undefined ? {} : { target }),
        ...owner(item, (key, reason) => here.outcome.refuse(item, [...here.path, index, key], reason)),
      };
    }),
  });

function owner(item: TreeNode, refuse: (key: string, reason: string) => void): Fields {
  const mode = textOf(nodeAt(item, 'mode'));
  const ids = ['uid', 'gid'].flatMap((key) => {
    const value = textOf(nodeAt(item, key));
    if (value === undefined) return [];
    if (!/^\d+$/.test(value)) refuse(key, `expected a number, found "${value}".`);
    return [[key, Number(value)] as const];
  });
  return {
    ...Object.fromEntries(ids),
    ...(mode === undefined ? {} : { mode: /^0[0-7]+$/.test(mode) ? mode : octal(mode) }),
  };
}
