import type { z } from 'zod';
import { ApplicationSpec } from '../../model/application.ts';
import { Invalid, type Issue } from '../../model/invalid.ts';
import { composeInvalid, issueText } from '../faults.ts';
import type { ComposeProject } from '../project.ts';
import { entriesOf, type MapNode, nodeAt, type Path, type Place, placeOf, textOf } from '../tree.ts';
import { type Build, buildOf } from './build.ts';
import type { Contents } from './mounts.ts';
import { mapNetworks } from './networks.ts';
import { Outcome } from './outcome.ts';
import { mapContents, type SecretSource } from './resources-of-project.ts';
import { type Fields, together } from './rule.ts';
import { serviceKeys } from './service-keys.ts';

/** An image as the compose file names it: `nginx:1.27` is docker.io's. */
export interface NamedImage {
  readonly service: string;
  readonly image: string;
  readonly at: Place;
}

export interface MappedProject {
  /** As a berth.yaml has it. Images are still those of the compose file; those that are built have none yet. */
  readonly application: Fields & {
    readonly name: string;
    readonly services: Readonly<Record<string, Fields>>;
  };
  readonly images: readonly NamedImage[];
  readonly builds: readonly Build[];
  readonly secretSources: readonly SecretSource[];
  /** What was left out without loss, and what was left out on purpose. */
  readonly notes: readonly Issue[];
}

/**
 * A compose project as an application.
 * @param ignored keys to go on without
 * @throws Invalid `compose-not-honoured`: every key that Berth cannot honour, with its place
 */
export function mapProject(
  project: ComposeProject,
  ignored: readonly string[],
  read: (path: string) => string | undefined,
): MappedProject {
  const outcome = new Outcome(ignored);
  const contents: Contents = { configs: new Map(), volumes: new Set(), read };
  const rules = serviceKeys(contents);
  const services: Record<string, Fields> = {};
  const images: NamedImage[] = [];
  const builds: Build[] = [];
  for (const [name, service] of project.services) {
    const target = serviceName(name, service, outcome);
    let fields: Fields = {};
    for (const [key, node] of service.entries) {
      if (key.startsWith('x-')) continue;
      const path: Path = ['services', name, key];
      const rule = rules[key];
      if (rule === undefined) outcome.refuse(node, path, 'Berth knows nothing of the kind.');
      const given = rule?.(node, { path, outcome, project, service: name, target }) ?? {};
      for (const field of Object.keys(given)) outcome.comesFrom(['services', target, field], node);
      fields = appended(fields, given);
    }
    const build = buildOf(service, name, project, outcome);
    const image = textOf(nodeAt(service, 'image'));
    const at = placeOf(nodeAt(service, 'image') ?? service);
    if (build !== undefined) builds.push({ ...build, service: target });
    else if (image !== undefined) images.push({ service: target, image, at });
    else
      outcome.refuseAt(
        placeOf(service),
        ['services', name],
        'has neither image nor build: expected one of them.',
      );
    outcome.comesFrom(['services', target], service);
    services[target] = { ...(image === undefined ? {} : { image }), ...fields };
  }
  mapNetworks(project, outcome);
  const models = project.tree.entries.get('models');
  if (models !== undefined && entriesOf(models).length > 0)
    outcome.refuse(models, ['models'], 'Berth runs no models beside containers.');
  if (project.tree.entries.has('version'))
    outcome.note(
      project.tree.entries.get('version') ?? project.tree,
      ['version'],
      'has no meaning any more.',
    );
  const { secretSources, ...found } = mapContents(project, outcome, contents);
  const application = {
    name: applicationName(project.name),
    services,
    ...Object.fromEntries(Object.entries(found).filter(([, entries]) => Object.keys(entries).length > 0)),
  };
  check(application, outcome);
  for (const name of outcome.unused)
    outcome.notes.push({ path: '', message: `--ignore ${name}: nothing is refused for it.` });
  if (outcome.refusals.length > 0) throw notHonoured(outcome.refusals);
  return { application, images, builds, secretSources, notes: outcome.notes };
}

/** Lists that two keys give (configs, and files that are mounted) are put together. */
function appended(a: Fields, b: Fields): Fields {
  const lists = Object.entries(b).flatMap(([name, value]) => {
    const before = a[name];
    return Array.isArray(before) && Array.isArray(value) ? [[name, [...before, ...value]] as const] : [];
  });
  return { ...together(a, b), ...Object.fromEntries(lists) };
}

/** Upper and lower case are one in host names, so that no name that services call each other by is lost. */
function serviceName(name: string, service: MapNode, outcome: Outcome): string {
  const lower = name.toLowerCase();
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(lower))
    outcome.refuseAt(
      placeOf(service),
      ['services', name],
      'the name of a service is a host name: expected 1 to 40 letters, digits and hyphens, beginning with a letter. Rename it, also where others call it.',
    );
  return lower;
}

/** Compose allows digits in front and underscores. */
export const applicationName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '') || 'app';

/** What the fields must be, told of the keys that they come from. Images are looked at where they are found. */
function check(
  application: Fields & { readonly services: Readonly<Record<string, Fields>> },
  outcome: Outcome,
): void {
  const services = Object.fromEntries(
    Object.entries(application.services).map(([name, fields]) => [name, { ...fields, image: 'image' }]),
  );
  const parsed = ApplicationSpec.safeParse({ ...application, services });
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const place = outcome.originOf(path);
    if (place !== undefined) outcome.refuseAt(place, path, reasonOf(issue));
    else if (outcome.refusals.length === 0)
      outcome.refusals.push({ path: path.join('.'), message: issue.message });
  }
}

/** Of a name that cannot be used, what its rule says. */
function reasonOf(issue: z.core.$ZodIssue): string {
  const said = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return `${said.replace(/^Invalid input: /, '')}.`.replace(/\.\.$/, '.');
}

function notHonoured(refusals: readonly Issue[]): Invalid {
  const { issues } = composeInvalid(refusals);
  return new Invalid({
    code: 'compose-not-honoured',
    message: issues.map(issueText).join('\n'),
    remedy:
      'Nothing was changed. Mend these keys, or go on without one on purpose: --ignore KEY, for example --ignore deploy.labels. docs/compose.md lists every key.',
    issues,
  });
}
