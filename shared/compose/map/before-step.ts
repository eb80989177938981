import type { ComposeProject } from '../project.ts';
import { shellWords } from '../shell-words.ts';
import { entriesOf, itemsOf, type MapNode, nodeAt, placeOf, plain, type TreeNode, textOf } from '../tree.ts';
import type { NamedImage } from './map-service.ts';
import type { Outcome } from './outcome.ts';

/** A service that runs to its end before another one begins: that one's step before a rollout. */
export interface BeforeStep {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it is not the image of the service itself. */
  readonly image: NamedImage | undefined;
  /** What the step waits for, and so the service. */
  readonly needs: readonly string[];
}

/** What a step may say for itself: everything else it has from the service. */
const OWN = new Set([
  ...['command', 'image', 'build', 'depends_on', 'restart', 'container_name', 'networks', 'attach', 'deploy'],
  ...['pull_policy', 'labels', 'logging', 'environment', 'profiles', 'stdin_open', 'tty'],
]);

/**
 * Services that others wait for with `service_completed_successfully`, by the service that waits. What cannot be a step is
 * refused, with the reason.
 */
export function beforeSteps(project: ComposeProject, outcome: Outcome): ReadonlyMap<string, BeforeStep> {
  const found = new Map<string, BeforeStep>();
  const waiting = [...project.services].flatMap(([name, service]) =>
    entriesOf(nodeAt(service, 'depends_on')).map(([on, node]) => ({ name, service, on, node })),
  );
  for (const { name, service, on, node } of waiting) {
    if (textOf(nodeAt(node, 'condition')) !== 'service_completed_successfully') continue;
    const step = project.services.get(on);
    if (step === undefined) continue;
    const others = waiting
      .filter((other) => other.on === on && other.name !== name)
      .map((other) => other.name);
    const made = stepOf({ name: on, step, service, target: name.toLowerCase() }, others);
    if (typeof made === 'string' || found.has(name)) {
      const reason = typeof made === 'string' ? made : 'it has another one already';
      outcome.refuse(
        node,
        ['services', name, 'depends_on', on],
        `a service of Berth does not end. ${on} would be the step before rollouts of ${name}, but ${reason}.`,
      );
      continue;
    }
    found.set(name, made);
    outcome.note(
      node,
      ['services', name, 'depends_on', on],
      `${on} runs to its end before each rollout of ${name}, as its step (before:).`,
    );
  }
  return found;
}

interface Pair {
  readonly name: string;
  readonly step: MapNode;
  readonly service: MapNode;
  readonly target: string;
}

/** @returns the step, or why it cannot be one */
function stepOf({ name, step, service, target }: Pair, others: readonly string[]): BeforeStep | string {
  if (others.length > 0)
    return `${others.join(' and ')} ${others.length === 1 ? 'waits' : 'wait'} for it too`;
  const node = nodeAt(step, 'command');
  const command =
    node?.kind === 'list' ? itemsOf(node).map((item) => textOf(item) ?? '') : shellWords(textOf(node) ?? '');
  if (command === undefined || command.length === 0) return 'it has no command: write out what it runs';
  const differs = [...step.entries.keys()].filter(
    (key) =>
      !key.startsWith('x-') && !OWN.has(key) && !isSame(step.entries.get(key), service.entries.get(key)),
  );
  if (differs.length > 0) return `its ${differs.join(', ')} would have to be as in the service`;
  const variable = entriesOf(nodeAt(step, 'environment')).find(
    ([key, value]) => textOf(value) !== textOf(nodeAt(service, 'environment', key)),
  );
  if (variable !== undefined) return `its variable ${variable[0]} would have to be as in the service`;
  const image = imageOf({ name, step, service, target });
  if (typeof image === 'string') return image;
  const needs = entriesOf(nodeAt(step, 'depends_on')).map(([on]) => on.toLowerCase());
  return { name, command, image, needs };
}

function imageOf({ step, service, target }: Pair): NamedImage | string | undefined {
  const build = step.entries.get('build');
  const own = step.entries.get('image');
  if (build !== undefined)
    return isSame(build, service.entries.get('build')) ? undefined : 'it is built from something else';
  const image = textOf(own);
  if (own === undefined || image === undefined) return 'it has no image';
  if (image === textOf(service.entries.get('image'))) return undefined;
  return { service: target, image, at: placeOf(own), isStep: true };
}

const isSame = (a: TreeNode | undefined, b: TreeNode | undefined): boolean =>
  a !== undefined && b !== undefined && JSON.stringify(plain(a)) === JSON.stringify(plain(b));
