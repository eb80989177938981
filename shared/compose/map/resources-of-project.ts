import type { ComposeProject } from '../project.ts';
import { entriesOf, isNull, itemsOf, nodeAt, type Path, type TreeNode, textOf } from '../tree.ts';
import type { Contents } from './mounts.ts';
import type { Outcome } from './outcome.ts';

/** A secret whose value is on this computer: a file, or a variable. */
export interface SecretSource {
  readonly name: string;
  readonly file?: string;
  readonly value?: string;
}

/** Volumes, configs and secrets of the application that services use. */
export interface ProjectContents {
  readonly volumes: Readonly<Record<string, object>>;
  readonly configs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secrets: Readonly<Record<string, object>>;
  readonly secretSources: readonly SecretSource[];
}

export function mapContents(project: ComposeProject, outcome: Outcome, contents: Contents): ProjectContents {
  const secretSources: SecretSource[] = [];
  const volumes = new Map<string, object>([...contents.volumes].map((name) => [name, {}]));
  for (const [name, node, path] of usedOf(project, 'volumes')) {
    checkVolume(project, name, node, path, outcome);
    volumes.set(name, {});
    outcome.comesFrom(['volumes', name], node);
  }
  const configs = new Map(contents.configs);
  for (const [name, node, path] of usedOf(project, 'configs')) {
    const config = configOf(project, node, path, outcome, contents);
    if (config !== undefined) configs.set(name, config);
    outcome.comesFrom(['configs', name], node);
  }
  const secrets = new Map<string, object>();
  for (const [name, node, path] of usedOf(project, 'secrets')) {
    const file = textOf(nodeAt(node, 'file'));
    const variable = textOf(nodeAt(node, 'environment'));
    const kept = textOf(nodeAt(node, 'external')) === 'true' ? textOf(nodeAt(node, 'name')) : undefined;
    secrets.set(name, kept === undefined || kept === name ? {} : { name: kept });
    outcome.comesFrom(['secrets', name], node);
    if (file !== undefined) secretSources.push({ name, file });
    if (variable !== undefined) {
      const value = project.variables(variable);
      if (value === undefined)
        outcome.refuse(node, [...path, 'environment'], `the variable ${variable} is not set.`);
      else secretSources.push({ name, value });
    }
    refuseDrivers(node, path, outcome);
  }
  return {
    volumes: Object.fromEntries(volumes),
    configs: Object.fromEntries(configs),
    secrets: Object.fromEntries(secrets),
    secretSources,
  };
}

/** Declarations that a service uses. */
function usedOf(
  project: ComposeProject,
  kind: 'volumes' | 'configs' | 'secrets',
): readonly (readonly [string, TreeNode, Path])[] {
  const used = new Set(
    [...project.services.values()].flatMap((service) =>
      itemsOf(nodeAt(service, kind)).flatMap((item) =>
        kind === 'volumes' && textOf(nodeAt(item, 'type')) !== 'volume'
          ? []
          : [textOf(nodeAt(item, 'source'))],
      ),
    ),
  );
  return entriesOf(project.tree.entries.get(kind)).flatMap(([name, node]) =>
    used.has(name) ? [[name, node, [kind, name]] as const] : [],
  );
}

function checkVolume(
  project: ComposeProject,
  name: string,
  node: TreeNode,
  path: Path,
  outcome: Outcome,
): void {
  const users = [...project.services].flatMap(([service, spec]) =>
    itemsOf(nodeAt(spec, 'volumes')).some(
      (item) => textOf(nodeAt(item, 'source')) === name && textOf(nodeAt(item, 'type')) === 'volume',
    )
      ? [service]
      : [],
  );
  if (users.length > 1)
    outcome.refuse(
      node,
      path,
      `${users.join(' and ')} share this volume, but may be on two machines: a volume of Berth belongs to one service, and each of its replicas has one of its own.`,
    );
  if (isNull(node)) return;
  for (const [key, value] of entriesOf(node)) {
    const text = textOf(value);
    if (key === 'driver' && (text === 'local' || text === 'default')) continue;
    if (key === 'external' && text !== 'true') continue;
    if (key === 'name' || key === 'labels')
      outcome.note(value, [...path, key], 'Berth names volumes itself.');
    else if (key === 'external')
      outcome.refuse(
        value,
        [...path, key],
        'Berth makes the volumes of an application itself: what was in another has to be copied.',
      );
    else if (!key.startsWith('x-'))
      outcome.refuse(
        value,
        [...path, key],
        "volumes of Berth lie on the machine's disk, without a driver of their own.",
      );
  }
}

function configOf(
  project: ComposeProject,
  node: TreeNode,
  path: Path,
  outcome: Outcome,
  contents: Contents,
): Readonly<Record<string, unknown>> | undefined {
  refuseDrivers(node, path, outcome);
  const content = textOf(nodeAt(node, 'content'));
  if (content !== undefined) return { content };
  const variable = textOf(nodeAt(node, 'environment'));
  if (variable !== undefined) {
    const value = project.variables(variable);
    if (value === undefined)
      outcome.refuse(node, [...path, 'environment'], `the variable ${variable} is not set.`);
    return value === undefined ? undefined : { content: value };
  }
  const file = textOf(nodeAt(node, 'file'));
  const text = file === undefined ? undefined : contents.read(file);
  if (text !== undefined && !text.includes('\u{fffd}')) return { content: text };
  outcome.refuse(
    node,
    file === undefined ? path : [...path, 'file'],
    file === undefined
      ? 'a config of Berth belongs to its application: expected file, content or environment.'
      : text === undefined
        ? `there is no file ${file}.`
        : `${file} is no text: name it in a berth.yaml, as configs.NAME.file.`,
  );
  return undefined;
}

function refuseDrivers(node: TreeNode, path: Path, outcome: Outcome): void {
  for (const key of ['driver', 'driver_opts', 'template_driver']) {
    const value = nodeAt(node, key);
    if (value !== undefined)
      outcome.refuse(value, [...path, key], 'Berth keeps it itself, without a driver.');
  }
}
