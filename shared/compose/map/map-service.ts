import type { ComposeProject } from '../project.ts';
import {
  type MapNode,
  nodeAt,
  type Path,
  type Place,
  placeOf,
  plain,
  type TreeNode,
  textOf,
} from '../tree.ts';
import { type Build, buildOf } from './build.ts';
import type { Outcome } from './outcome.ts';
import { type Fields, type Rule, together } from './rule.ts';

/** An image as the compose file names it: `nginx:1.27` is docker.io's. */
export interface NamedImage {
  readonly service: string;
  readonly image: string;
  readonly at: Place;
  /** Of the step before the service's rollouts. */
  readonly isStep?: true;
}

/** Of what an image is: names are found by it. */
export const imageKey = ({ service, isStep }: Pick<NamedImage, 'service' | 'isStep'>): string =>
  isStep === true ? `${service} before` : service;

export interface MappedService {
  /** Its name in the application. */
  readonly target: string;
  readonly fields: Fields;
  /** Of these it has one, or it was refused. */
  readonly image: NamedImage | undefined;
  readonly build: Build | undefined;
}

interface Mapping {
  readonly project: ComposeProject;
  readonly outcome: Outcome;
  readonly rules: Readonly<Record<string, Rule>>;
}

export function mapService(
  name: string,
  service: MapNode,
  { project, outcome, rules }: Mapping,
): MappedService {
  const target = serviceName(name, service, outcome);
  let fields: Fields = {};
  for (const [key, node] of service.entries) {
    if (key.startsWith('x-')) continue;
    const path: Path = ['services', name, key];
    const rule = rules[key];
    if (rule === undefined) outcome.refuse(node, path, 'Berth knows nothing of the kind.');
    const given = rule?.(node, { path, outcome, project, service: name, target }) ?? {};
    for (const field of Object.keys(given)) outcome.comesAtAllFrom(['services', target, field], node, path);
    fields = appended(fields, given);
  }
  const own = ownFields(service, ['services', name], outcome, ['image']);
  for (const [field, node] of own.nodes)
    outcome.comesFrom(['services', target, field], node, ['services', name, 'x-berth', field]);
  const build = buildOf(service, name, project, outcome);
  const image = textOf(nodeAt(service, 'image'));
  const at = placeOf(nodeAt(service, 'image') ?? service);
  if (build === undefined && image === undefined)
    outcome.refuseAt(
      placeOf(service),
      ['services', name],
      'has neither image nor build: expected one of them.',
    );
  outcome.comesFrom(['services', target], service, ['services', name]);
  return {
    target,
    fields: { ...(image === undefined ? {} : { image }), ...together(fields, own.fields) },
    image: build === undefined && image !== undefined ? { service: target, image, at } : undefined,
    build: build === undefined ? undefined : { ...build, service: target },
  };
}

/**
 * `x-berth`: what a berth.yaml has and compose has not (routes, pools, jobs, a step before a rollout), in its own words. It comes
 * before what other keys say.
 * @param others keys that are said elsewhere
 */
export function ownFields(
  node: MapNode,
  path: Path,
  outcome: Outcome,
  others: readonly string[],
): { readonly fields: Fields; readonly nodes: readonly (readonly [string, TreeNode])[] } {
  const own = node.entries.get('x-berth');
  if (own === undefined) return { fields: {}, nodes: [] };
  if (own.kind !== 'map') {
    outcome.refuse(own, [...path, 'x-berth'], 'expected keys of a berth.yaml.');
    return { fields: {}, nodes: [] };
  }
  const nodes = [...own.entries].filter(([key, value]) => {
    if (!others.includes(key)) return true;
    outcome.refuse(
      value,
      [...path, 'x-berth', key],
      `is said outside of x-berth: expected other keys of a berth.yaml.`,
    );
    return false;
  });
  return { fields: Object.fromEntries(nodes.map(([key, value]) => [key, plain(value)])), nodes };
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
