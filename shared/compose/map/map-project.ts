import type { ComposeProject } from '../project.ts';
import { entriesOf } from '../tree.ts';
import { type BeforeStep, beforeSteps } from './before-step.ts';
import { applicationName, concluded, type MappedProject } from './conclude.ts';
import { type MappedService, mapService, ownFields } from './map-service.ts';
import type { Contents } from './mounts.ts';
import { mapNetworks } from './networks.ts';
import { Outcome } from './outcome.ts';
import { mapContents } from './resources-of-project.ts';
import type { Fields } from './rule.ts';
import { serviceKeys } from './service-keys.ts';

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
  const steps = beforeSteps(project, outcome);
  const areSteps = new Set([...steps.values()].map(({ name }) => name));
  const mapped = [...project.services]
    .filter(([name]) => !areSteps.has(name))
    .map(([name, service]) =>
      withStep(mapService(name, service, { project, outcome, rules }), steps.get(name)),
    );
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
  const unlimited = mapped.filter(({ fields }) => saysNoAmount(fields)).map(({ target }) => target);
  const servicesNode = project.tree.entries.get('services');
  if (unlimited.length > 0 && servicesNode !== undefined)
    outcome.note(
      servicesNode,
      ['services'],
      `where nothing is said, a container is placed with ${USUAL.cpu} cores and ${USUAL.memory} MiB of memory, of which it gets no more: ${unlimited.join(', ')}. deploy.resources.limits says otherwise.`,
    );
  const own = ownFields(project.tree, [], outcome, ['name', 'services']);
  for (const [key, node] of own.nodes) outcome.comesFrom([key], node, ['x-berth', key]);
  const application = {
    name: applicationName(project.name),
    services: Object.fromEntries(mapped.map(({ target, fields }) => [target, withResources(fields)])),
    ...Object.fromEntries(Object.entries(found).filter(([, entries]) => Object.keys(entries).length > 0)),
    ...own.fields,
  };
  return concluded(
    {
      application,
      images: [...mapped.map(({ image }) => image), ...[...steps.values()].map(({ image }) => image)].filter(
        (image) => image !== undefined,
      ),
      builds: mapped.flatMap(({ build }) => (build === undefined ? [] : [build])),
      secretSources,
    },
    outcome,
  );
}

function withStep(mapped: MappedService, step: BeforeStep | undefined): MappedService {
  if (step === undefined) return mapped;
  const { command, image, needs } = step;
  const dependsOn = [
    ...new Set([...((mapped.fields['dependsOn'] as readonly string[] | undefined) ?? []), ...needs]),
  ];
  const fields = {
    ...mapped.fields,
    before: { command, ...(image === undefined ? {} : { image: image.image }) },
    ...(dependsOn.length === 0 ? {} : { dependsOn }),
  };
  return { ...mapped, fields };
}

/** Compose knows no limit where none is said; Berth, which places by it, has to know one. */
const USUAL = { cpu: 0.25, memory: 512 };

const withResources = (fields: Fields): Fields => ({
  ...fields,
  resources: { ...USUAL, ...(fields['resources'] as object | undefined) },
});

function saysNoAmount({ resources }: Fields): boolean {
  const said = Object.keys((resources as object | undefined) ?? {});
  return !said.includes('cpu') || !said.includes('memory');
}
