import { MOST_CONTENT } from '../../model/files.ts';
import { baseName } from '../paths.ts';
import { itemsOf, nodeAt, type Path, type TreeNode, textOf } from '../tree.ts';
import { below, comesFrom, type Fields, type Here, isTrue, mebibytes, type Rule } from './rule.ts';

/** Files of the user's computer that are mounted become configs, of which `contents` has the text. */
export interface Contents {
  /** Name of a config of the application → its specification. */
  readonly configs: Map<string, Readonly<Record<string, unknown>>>;
  /** Volumes of the application that services made up. */
  readonly volumes: Set<string>;
  read(path: string): string | undefined;
}

export const mounts =
  (contents: Contents): Rule =>
  (node, here) => {
    const volumes: Fields[] = [];
    const configs: Fields[] = [];
    for (const [index, item] of itemsOf(node).entries()) {
      const inside = below(here, index);
      comesFrom(here, item, ['volumes', volumes.length], [index]);
      comesFrom(here, item, ['configs', configs.length], [index]);
      const readOnly = isTrue(nodeAt(item, 'read_only')) ? { readOnly: true } : {};
      const target = textOf(nodeAt(item, 'target')) ?? '';
      switch (textOf(nodeAt(item, 'type'))) {
        case 'volume':
          refuseKeys(item, ['volume', 'subpath'], inside, 'Berth mounts whole volumes.');
          volumes.push({
            type: 'volume',
            source: volumeOf(item, here, index, contents),
            target,
            ...readOnly,
          });
          break;
        case 'tmpfs':
          volumes.push({ type: 'tmpfs', target, ...memory(item, inside) });
          break;
        case 'bind':
          bound(item, inside, contents, { volumes, configs });
          break;
        default:
          here.outcome.refuse(
            item,
            inside.path,
            `Berth mounts volumes, folders of the machine and tmpfs, not ${textOf(nodeAt(item, 'type'))}.`,
          );
      }
    }
    return {
      ...(volumes.length === 0 ? {} : { volumes }),
      ...(configs.length === 0 ? {} : { configs }),
    };
  };

/** A volume without a name gets one of the service's own. */
function volumeOf(item: TreeNode, here: Here, index: number, { volumes }: Contents): string {
  const named = textOf(nodeAt(item, 'source'));
  if (named !== undefined) return named;
  const name = `${here.service}-${index}`;
  volumes.add(name);
  here.outcome.note(
    item,
    [...here.path, index],
    `a volume without a name is kept as ${name}, also when its container is replaced.`,
  );
  return name;
}

function bound(
  item: TreeNode,
  here: Here,
  contents: Contents,
  found: { readonly volumes: Fields[]; readonly configs: Fields[] },
): void {
  const source = nodeAt(item, 'source');
  const path = textOf(source) ?? '';
  const target = textOf(nodeAt(item, 'target')) ?? '';
  refuseKeys(item, ['bind', 'propagation'], here, 'a folder of the machine is mounted privately.');
  const isLocal = source?.kind === 'scalar' && source.relative === true;
  if (!isLocal) {
    found.volumes.push({
      type: 'host',
      source: path,
      target,
      ...(isTrue(nodeAt(item, 'read_only')) ? { readOnly: true } : {}),
    });
    return;
  }
  const text = contents.read(path);
  if (text === undefined || text.includes('\u{fffd}') || text.length > MOST_CONTENT) {
    here.outcome.refuse(
      item,
      here.path,
      `${path} is on this computer, and not on the machines: a text file of at most 256 KiB would be sent along; put folders into the image (COPY), or what is to be kept into a volume.`,
    );
    return;
  }
  const name = nameFor(path, contents);
  contents.configs.set(name, { content: text });
  found.configs.push({ config: name, target });
  here.outcome.note(
    item,
    here.path,
    `the file ${path} is sent along as the config ${name}: the container gets a copy of it as it is now.`,
  );
}

/** The file's name, with a number behind it if another file has it. */
function nameFor(path: string, { configs, read }: Contents): string {
  const plain =
    baseName(path)
      .replace(/[^A-Za-z0-9_.-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 50) || 'file';
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    const taken = configs.get(name);
    if (taken === undefined || taken['content'] === read(path)) return name;
  }
}

function memory(item: TreeNode, here: Here): Fields {
  const size = nodeAt(item, 'tmpfs', 'size');
  const mode = textOf(nodeAt(item, 'tmpfs', 'mode'));
  const most = size === undefined ? undefined : mebibytes(size, below(here, 'tmpfs', 'size'));
  return {
    ...(most === undefined ? {} : { size: Math.max(1, most) }),
    ...(mode === undefined ? {} : { mode: octal(mode) }),
  };
}

/** Permissions as YAML reads them, a number, as octal digits. */
export const octal = (mode: string): string => Number(mode).toString(8).padStart(4, '0');

function refuseKeys(item: TreeNode, path: Path, here: Here, reason: string): void {
  const node = nodeAt(item, ...path);
  if (node !== undefined) here.outcome.refuse(node, [...here.path, ...path], reason);
}

/** `/run`, `/tmp:size=64m,mode=1777` */
export const tmpfs: Rule = (node, here) => ({
  tmpfs: itemsOf(node).map((item, index) => {
    const [target = '', options = ''] = (textOf(item) ?? '').split(':');
    const result: Record<string, unknown> = { target };
    for (const option of options.split(',').filter((part) => part !== '')) {
      const [name = '', value = ''] = option.split('=');
      if (name === 'size')
        result['size'] = mebibytes({ ...item, kind: 'scalar', value } as TreeNode, below(here, index));
      else if (name === 'mode') result['mode'] = value.padStart(4, '0');
      else if (name !== 'rw')
        here.outcome.refuse(item, [...here.path, index], `of tmpfs Berth knows size and mode, not ${name}.`);
    }
    return Object.keys(result).length === 1 ? target : result;
  }),
});
