import { Faults } from './faults.ts';
import type { Context, ReadFile } from './load-file.ts';
import { loadFiles, withEnvironmentFiles } from './load-project.ts';
import { withoutRepeats, withoutResets } from './merge.ts';
import { baseName, directoryOf, joinPath } from './paths.ts';
import { readTrees } from './read-tree.ts';
import { checkReferences } from './references.ts';
import { checkSaidTwice } from './said-twice.ts';
import { withEnvironment } from './service-environment.ts';
import { interpolate, TemplateFault, type Variables } from './template.ts';
import {
  entriesOf,
  itemsOf,
  type MapNode,
  makeMap,
  nodeAt,
  type Place,
  textOf,
  withEntries,
} from './tree.ts';

export interface ProjectInput {
  /** The first says where relative paths begin. */
  readonly files: readonly string[];
  /** Absolute: where `files` are relative to. */
  readonly workingDirectory: string;
  /** `--project-directory`; the first file's if left out. */
  readonly directory?: string | undefined;
  readonly name?: string | undefined;
  /** `*`: all. */
  readonly profiles: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `.env` in the project's directory if left out. */
  readonly environmentFiles?: readonly string[] | undefined;
  readonly read: ReadFile;
}

export interface ComposeProject {
  readonly name: string;
  /** Canonical: only long forms, all files merged, nothing left to put in, only the services of chosen profiles. */
  readonly tree: MapNode;
  readonly services: ReadonlyMap<string, MapNode>;
  /** Services that no chosen profile has, with their profiles. */
  readonly disabled: ReadonlyMap<string, readonly string[]>;
  readonly directory: string;
  readonly variables: Variables;
}

/**
 * A project as docker compose reads it.
 * @throws Invalid `compose-invalid`: all faults of the stage that failed, with file, line and column
 */
export function readProject(input: ProjectInput): ComposeProject {
  const faults = new Faults();
  const [first = 'compose.yaml'] = input.files;
  const directory = input.directory ?? directoryOf(first);
  const own: Variables = (name) => input.environment[name];
  const files = input.environmentFiles?.map((path) => ({ path, asked: { file: path, line: 1, column: 1 } }));
  const known = withEnvironmentFiles(
    own,
    files ?? [{ path: joinPath(directory, '.env'), asked: undefined }],
    {
      read: input.read,
      faults,
    },
  );
  const name = nameOf(input, directory, known);
  const variables: Variables = (variable) => (variable === 'COMPOSE_PROJECT_NAME' ? name : known(variable));
  const home = input.environment['HOME'] ?? '~';
  const context: Context = { read: input.read, faults, variables, directory, home };
  const loaded = loadFiles(input.files, context);
  faults.check();
  const begin: Place = { file: first, line: 1, column: 1 };
  const whole = withoutRepeats(
    withoutResets(loaded ?? { kind: 'map', at: begin, entries: new Map() }),
  ) as MapNode;
  const { enabled, disabled } = chosen(whole, [
    ...input.profiles,
    ...(known('COMPOSE_PROFILES')?.split(',') ?? []),
  ]);
  if (enabled.length === 0) faults.add(begin, ['services'], emptyText(disabled));
  const services = new Map(
    enabled.map(([service, node]) => [service, withEnvironment(node, service, context)] as const),
  );
  const servicesNode = nodeAt(whole, 'services') ?? whole;
  const tree = withEntries(whole, [['services', makeMap(servicesNode, services)]]);
  checkReferences(tree, disabled, faults);
  checkSaidTwice(services, faults);
  faults.check();
  return { name, tree, services, disabled, directory, variables };
}

function emptyText(disabled: ReadonlyMap<string, readonly string[]>): string {
  const profiles = [...new Set([...disabled.values()].flat())];
  return profiles.length === 0
    ? 'there are no services: expected at least one.'
    : `no service is left, since none of their profiles is chosen: add --profile with one of ${profiles.join(', ')}.`;
}

function chosen(tree: MapNode, profiles: readonly string[]) {
  const enabled: (readonly [string, MapNode])[] = [];
  const disabled = new Map<string, readonly string[]>();
  for (const [name, service] of entriesOf(nodeAt(tree, 'services'))) {
    const own = itemsOf(nodeAt(service, 'profiles')).map((node) => textOf(node) ?? '');
    const isChosen =
      own.length === 0 || profiles.includes('*') || own.some((profile) => profiles.includes(profile));
    if (!isChosen) disabled.set(name, own);
    else if (service.kind === 'map') enabled.push([name, withEntries(service, [['profiles', undefined]])]);
    else enabled.push([name, makeMap(service, [])]);
  }
  return { enabled, disabled };
}

/** `-p`, COMPOSE_PROJECT_NAME, `name` of the last file that has it, the folder. Compose Specification, 04-version-and-name. */
function nameOf(input: ProjectInput, directory: string, variables: Variables): string {
  const named = input.name ?? variables('COMPOSE_PROJECT_NAME');
  if (named !== undefined && named !== '') return named;
  for (const file of [...input.files].reverse())
    for (const tree of readTrees(input.read(file) ?? '', file, new Faults())) {
      const name = textOf(nodeAt(tree, 'name'));
      if (name === undefined) continue;
      try {
        return interpolate(name, variables);
      } catch (error) {
        // The file is read again, and then this is told with its place.
        if (!(error instanceof TemplateFault)) throw error;
        return 'unknown';
      }
    }
  return baseName(joinPath(input.workingDirectory, directory));
}
