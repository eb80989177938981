import type { Outcome } from '../compose/map/outcome.ts';
import { type Fields, together } from '../compose/map/rule.ts';
import {
  entriesOf,
  itemsOf,
  type MapNode,
  nodeAt,
  type Path,
  type TreeNode,
  textOf,
} from '../compose/tree.ts';
import { marathonHealth } from './marathon-health.ts';
import { marathonPorts } from './marathon-ports.ts';

export interface App {
  readonly node: MapNode;
  readonly path: Path;
  readonly target: string;
  /** Ids of apps that come along → their names. */
  readonly targets: ReadonlyMap<string, string>;
  readonly outcome: Outcome;
  /** Of the group that it lies in. */
  readonly folder: readonly string[];
}

interface Mapped {
  readonly fields: Fields;
  readonly image: TreeNode | undefined;
  readonly volumes: readonly string[];
}

type Rule = (node: TreeNode, app: App, path: Path) => Fields | undefined;

const number = (node: TreeNode | undefined): number => Number(textOf(node) ?? 0);
const noted =
  (message: string): Rule =>
  (node, { outcome }, path) => {
    outcome.note(node, path, message);
    return undefined;
  };
const refused =
  (reason: string): Rule =>
  (node, { outcome }, path) => {
    const says =
      node.kind === 'scalar'
        ? !['0', '', undefined].includes(textOf(node))
        : node.kind === 'list'
          ? node.items.length > 0
          : node.entries.size > 0;
    if (says) outcome.refuse(node, path, reason);
    return undefined;
  };
const nothing: Rule = () => undefined;

export function appFields(app: App): Mapped {
  let fields: Fields = {};
  for (const [key, node] of app.node.entries) {
    const path = [...app.path, key];
    const known = Object.hasOwn(rules, key) ? rules[key] : undefined;
    const rule = known ?? (STATE.has(key) ? nothing : refused('Berth knows nothing of the kind.'));
    const given = rule(node, app, path) ?? {};
    for (const field of Object.keys(given)) app.outcome.comesFrom(['services', app.target, field], node);
    fields = together(fields, given);
  }
  const own = marathonVolumes(app);
  const ports = marathonPorts(app);
  fields = together(together(fields, ports), marathonHealth(app, ports));
  const image = nodeAt(app.node, 'container', 'docker', 'image');
  return {
    fields: {
      ...(image === undefined ? {} : { image: textOf(image) }),
      ...fields,
      ...(own.uses.length === 0 ? {} : { volumes: own.uses }),
    },
    image,
    volumes: own.names,
  };
}

const environment: Rule = (node, { outcome }, path) => ({
  environment: Object.fromEntries(
    entriesOf(node).map(([name, value]) => {
      if (value.kind !== 'scalar')
        outcome.refuse(
          value,
          [...path, name],
          `secrets are files in containers of Berth, not variables: secrets: [{secret: …, env: ${name}_FILE}] in a berth.yaml.`,
        );
      return [name, textOf(value) ?? ''];
    }),
  ),
});

const constraints: Rule = (node, { outcome }, path) => {
  const placement: Record<string, unknown> = {};
  const found: string[] = [];
  for (const [index, item] of itemsOf(node).entries()) {
    const [on = '', operator = '', value = ''] = itemsOf(item).map((part) => textOf(part) ?? '');
    const subject = on === 'hostname' || on === '@hostname' ? 'machine' : `label.${on}`;
    if (operator === 'UNIQUE' && subject === 'machine') placement['atMostPerMachine'] = 1;
    else if (operator === 'MAX_PER' && subject === 'machine') placement['atMostPerMachine'] = Number(value);
    else if (operator === 'GROUP_BY' && subject === 'machine') placement['spread'] = 'machine';
    else if (operator === 'GROUP_BY' && /^(@?zone|az|rack_?id)$/i.test(on)) placement['spread'] = 'zone';
    else if (['CLUSTER', 'IS', 'LIKE'].includes(operator) && /^[\w.-]+$/.test(value))
      found.push(`${subject} == ${value}`);
    else if (operator === 'UNLIKE' && /^[\w.-]+$/.test(value)) found.push(`${subject} != ${value}`);
    else
      outcome.refuse(
        item,
        [...path, index],
        `Berth has no ${[on, operator, value].join(' ').trim()}: of constraints it knows UNIQUE and MAX_PER of the hostname, GROUP_BY of hostname or zone, CLUSTER, IS, LIKE and UNLIKE with a plain value.`,
      );
  }
  if (found.length > 0) placement['constraints'] = found;
  return Object.keys(placement).length === 0 ? undefined : { placement };
};

const share = (value: number): string => `${Math.round(Math.min(1, Math.max(0, value)) * 100)}%`;

const upgrade: Rule = (node) => {
  const least =
    nodeAt(node, 'minimumHealthCapacity') === undefined ? 1 : number(nodeAt(node, 'minimumHealthCapacity'));
  const over =
    nodeAt(node, 'maximumOverCapacity') === undefined ? 1 : number(nodeAt(node, 'maximumOverCapacity'));
  // With neither, Marathon replaces one at a time.
  if (least >= 1 && over <= 0) return { rollout: { surge: 1 } };
  return { rollout: { surge: share(over), unavailable: share(1 - least) } };
};

const dependencies: Rule = (node, { outcome, targets, folder }, path) => {
  const names: string[] = [];
  for (const [index, item] of itemsOf(node).entries()) {
    const text = textOf(item) ?? '';
    const id = text.startsWith('/') ? text : `/${[...folder, text].join('/').replace(/[^/]+\/\.\.\//g, '')}`;
    const found = targets.get(id);
    if (found === undefined)
      outcome.refuse(item, [...path, index], `${text} does not come along: import it in the same group.`);
    else names.push(found);
  }
  return names.length === 0 ? undefined : { dependsOn: names };
};

const containerKeys: Rule = (node, { outcome }, path) => {
  for (const [key, value] of entriesOf(nodeAt(node, 'docker')))
    if (
      ![
        'image',
        'network',
        'portMappings',
        'forcePullImage',
        'privileged',
        'parameters',
        'pullConfig',
      ].includes(key)
    )
      outcome.refuse(value, [...path, 'docker', key], 'Berth knows nothing of the kind.');
  const parameters = nodeAt(node, 'docker', 'parameters');
  if (itemsOf(parameters).length > 0 && parameters !== undefined)
    outcome.refuse(
      parameters,
      [...path, 'docker', 'parameters'],
      "docker's own options have fields in a berth.yaml: import without them, and write them there.",
    );
  for (const [key, value] of entriesOf(node))
    if (!['type', 'docker', 'volumes', 'portMappings', 'forcePullImage'].includes(key))
      outcome.refuse(value, [...path, key], 'Berth knows nothing of the kind.');
  return textOf(nodeAt(node, 'docker', 'privileged')) === 'true' ? { privileged: true } : undefined;
};

const FILES = 'what a container needs lies in its image: put it there (COPY, ADD).';
const OWN = 'Berth has its own way for it.';

const rules: Readonly<Record<string, Rule>> = {
  id: nothing,
  cmd: (node) => (textOf(node) === undefined ? undefined : { command: ['/bin/sh', '-c', textOf(node)] }),
  args: (node) =>
    itemsOf(node).length === 0 ? undefined : { command: itemsOf(node).map((item) => textOf(item) ?? '') },
  cpus: (node) => (number(node) > 0 ? { resources: { cpu: number(node) } } : undefined),
  mem: (node) =>
    number(node) > 0 ? { resources: { memory: Math.max(6, Math.ceil(number(node))) } } : undefined,
  gpus: (node) => (number(node) > 0 ? { resources: { gpu: number(node) } } : undefined),
  disk: refused('Berth does not limit what a container writes into its own file system.'),
  instances: (node) => ({ replicas: number(node) }),
  env: environment,
  labels: (node) =>
    entriesOf(node).length === 0
      ? undefined
      : { labels: Object.fromEntries(entriesOf(node).map(([name, value]) => [name, textOf(value) ?? ''])) },
  user: (node) => (textOf(node) === undefined ? undefined : { user: textOf(node) }),
  container: containerKeys,
  constraints,
  upgradeStrategy: upgrade,
  dependencies,
  taskKillGracePeriodSeconds: (node) => ({ stopGrace: number(node) }),
  healthChecks: nothing,
  readinessChecks: nothing,
  ports: nothing,
  portDefinitions: nothing,
  requirePorts: nothing,
  networks: nothing,
  ipAddress: noted('Berth gives each container an address, and its service a name.'),
  uris: refused(FILES),
  fetch: refused(FILES),
  storeUrls: refused(FILES),
  secrets: refused(
    'secrets are files in containers of Berth: secrets: in a berth.yaml, and berth secrets set.',
  ),
  executor: refused('Berth has no executors.'),
  acceptedResourceRoles: noted('all machines of a pool are alike.'),
  role: noted('all machines of a pool are alike.'),
  residency: noted('a replica with a volume stays with its machine.'),
  backoffSeconds: noted(OWN),
  backoffFactor: noted(OWN),
  maxLaunchDelaySeconds: noted(OWN),
  killSelection: noted(OWN),
  unreachableStrategy: noted(OWN),
  tty: (node) => (textOf(node) === 'true' ? { tty: true } : undefined),
};

/** What Marathon answers beside what was said to it. */
const STATE = new Set([
  ...[
    'version',
    'versionInfo',
    'tasksStaged',
    'tasksRunning',
    'tasksHealthy',
    'tasksUnhealthy',
    'deployments',
    'tasks',
    'lastTaskFailure',
    'taskStats',
    'readinessCheckResults',
  ],
]);

function marathonVolumes({ node, path, target, outcome }: App) {
  const uses: Fields[] = [];
  const names: string[] = [];
  for (const [index, item] of itemsOf(nodeAt(node, 'container', 'volumes')).entries()) {
    const place = [...path, 'container', 'volumes', index];
    const at = textOf(nodeAt(item, 'containerPath')) ?? '';
    const host = textOf(nodeAt(item, 'hostPath'));
    const readOnly = textOf(nodeAt(item, 'mode')) === 'RO' ? { readOnly: true } : {};
    outcome.comesFrom(['services', target, 'volumes', uses.length], item);
    if (nodeAt(item, 'persistent') !== undefined) {
      const name = `${target}-${index}`;
      names.push(name);
      uses.push({ type: 'volume', source: name, target: at, ...readOnly });
    } else if (host?.startsWith('/')) uses.push({ type: 'host', source: host, target: at, ...readOnly });
    else outcome.refuse(item, place, 'Berth mounts persistent volumes and absolute paths of the machine.');
  }
  return { uses, names };
}
