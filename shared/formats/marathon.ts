import { composeInvalid, Faults } from '../compose/faults.ts';
import { applicationName, concluded, type MappedProject } from '../compose/map/conclude.ts';
import type { NamedImage } from '../compose/map/map-service.ts';
import { Outcome } from '../compose/map/outcome.ts';
import type { Fields } from '../compose/map/rule.ts';
import { readTrees } from '../compose/read-tree.ts';
import { itemsOf, type MapNode, nodeAt, type Path, placeOf, type TreeNode, textOf } from '../compose/tree.ts';
import { type App, appFields } from './marathon-app.ts';

/** Whether a document is one of Marathon's: an app, several, or a group. */
export function isMarathon(text: string): boolean {
  const [tree] = readTrees(text, '', new Faults());
  const first = tree?.kind === 'list' ? tree.items[0] : tree;
  const has = (name: string): boolean => nodeAt(first, name) !== undefined;
  return has('apps') || has('groups') || (has('id') && ['cmd', 'args', 'container', 'instances'].some(has));
}

/**
 * An app of Marathon, several, or a group with all below it, as one application.
 * https://mesosphere.github.io/marathon/api-console/index.html
 * @param name of the application; the group's, or the first part of an app's id, if left out
 * @throws Invalid `compose-invalid`, `compose-not-honoured`
 */
export function mapMarathon(
  text: string,
  file: string,
  { name, ignored }: { readonly name?: string | undefined; readonly ignored: readonly string[] },
): MappedProject {
  const faults = new Faults();
  const [tree] = readTrees(text, file, faults);
  faults.check();
  const apps = tree === undefined ? [] : appsIn(tree, []);
  if (tree === undefined || apps.length === 0)
    throw composeInvalid([{ path: '', message: 'there are no apps', file, line: 1, column: 1 }]);
  const outcome = new Outcome(ignored);
  const targets = new Map(apps.map(({ id }) => [`/${id.join('/')}`, serviceOf(id, apps.length)]));
  const services: Record<string, Fields> = {};
  const images: NamedImage[] = [];
  const volumes: Record<string, object> = {};
  for (const { id, node, path } of apps) {
    const target = serviceOf(id, apps.length);
    if (Object.hasOwn(services, target))
      outcome.refuse(node, [...path, 'id'], `two apps come to the name ${target}: rename one.`);
    const app: App = { node, path, target, targets, outcome, folder: id.slice(0, -1) };
    const { fields, image, volumes: own } = appFields(app);
    outcome.comesFrom(['services', target], node);
    services[target] = fields;
    Object.assign(volumes, Object.fromEntries(own.map((volume) => [volume, {}])));
    const at = placeOf(image ?? node);
    if (image === undefined)
      outcome.refuse(
        node,
        [...path, 'container'],
        'has no image: Berth runs containers, and no programs of Mesos without one.',
      );
    else images.push({ service: target, image: textOf(image) ?? '', at });
  }
  const [first] = apps;
  const application = {
    name: applicationName(name ?? first?.id[0] ?? 'app'),
    services,
    ...(Object.keys(volumes).length === 0 ? {} : { volumes }),
  };
  return concluded({ application, images, builds: [], secretSources: [] }, outcome);
}

interface Found {
  readonly id: readonly string[];
  readonly node: MapNode;
  readonly path: Path;
}

/** Ids below a group are relative to it unless they begin with a slash. */
function appsIn(node: TreeNode, group: readonly string[], path: Path = []): readonly Found[] {
  if (node.kind === 'list') return node.items.flatMap((item, index) => appsIn(item, group, [...path, index]));
  if (node.kind !== 'map') return [];
  const id = idOf(textOf(nodeAt(node, 'id')) ?? '', group);
  const isGroup = node.entries.has('apps') || node.entries.has('groups');
  if (!isGroup) return [{ id, node, path }];
  return ['apps', 'groups'].flatMap((key) =>
    itemsOf(nodeAt(node, key)).flatMap((item, index) => appsIn(item, id, [...path, key, index])),
  );
}

const idOf = (text: string, group: readonly string[]): readonly string[] => {
  const own = text.split('/').filter((part) => part !== '' && part !== '.');
  return text.startsWith('/') ? own : [...group, ...own];
};

/** Of one app alone its last part; of several what comes after the application's name. */
function serviceOf(id: readonly string[], apps: number): string {
  const parts = apps === 1 || id.length === 1 ? id.slice(-1) : id.slice(1);
  return parts.join('-').toLowerCase().replaceAll(/[._]/g, '-') || 'app';
}
