import { entriesOf, itemsOf, nodeAt, plain, textOf } from '../tree.ts';
import { resources } from './resources.ts';
import {
  below,
  comesFrom,
  type Fields,
  noted,
  numberIn,
  type Rule,
  refused,
  seconds,
  together,
} from './rule.ts';

/** Compose Deploy Specification. */
export const deploy: Rule = (node, here) => {
  let fields: Fields = {};
  for (const [name, value] of entriesOf(node)) {
    const rule =
      rules[name] ?? (name.startsWith('x-') ? () => undefined : refused('Berth knows nothing of the kind.'));
    const inside = below(here, name);
    const given = rule(value, inside) ?? {};
    for (const field of Object.keys(given)) comesFrom(inside, value, [field]);
    fields = together(fields, given);
  }
  return fields;
};

const mode: Rule = (node, here) => {
  const value = textOf(node);
  if (value === 'global') return { mode: 'one-per-machine' };
  if (value !== 'replicated')
    here.outcome.refuse(
      node,
      here.path,
      `"${value}" is none of Berth's: expected replicated or global. What runs to its end is a job of a berth.yaml: berth import, then move it below jobs.`,
    );
  return undefined;
};

export const replicas: Rule = (node, here) => {
  const count = numberIn(node, here);
  return count === undefined ? undefined : { replicas: count };
};

const restartPolicy: Rule = (node, here) => {
  const condition = textOf(nodeAt(node, 'condition')) ?? 'any';
  const names: Readonly<Record<string, string>> = {
    none: 'never',
    'on-failure': 'on-failure',
    any: 'always',
  };
  for (const [name, value] of entriesOf(node))
    if (name === 'max_attempts')
      here.outcome.refuse(
        value,
        [...here.path, name],
        'Berth goes on trying, with growing pauses, until it is told otherwise.',
      );
    else if (name !== 'condition')
      here.outcome.note(
        value,
        [...here.path, name],
        'Berth restarts at once, then with growing pauses of its own.',
      );
  const restart = names[condition];
  if (restart !== undefined) return { restart };
  here.outcome.refuse(
    node,
    [...here.path, 'condition'],
    `expected none, on-failure or any, found "${condition}".`,
  );
  return undefined;
};

/** `start-first` starts as many more; `stop-first`, which is usual, stops as many first. */
const update: Rule = (node, here) => {
  const rollout: Record<string, unknown> = {};
  const startFirst = textOf(nodeAt(node, 'order')) === 'start-first';
  const parallelism = nodeAt(node, 'parallelism');
  const count = parallelism === undefined ? 1 : numberIn(parallelism, below(here, 'parallelism'));
  if (parallelism !== undefined || nodeAt(node, 'order') !== undefined) {
    const amount = count === 0 ? '100%' : count;
    if (startFirst) rollout['surge'] = amount;
    else Object.assign(rollout, { surge: 0, unavailable: amount });
  }
  const action = textOf(nodeAt(node, 'failure_action'));
  if (action === 'pause') rollout['onFailure'] = 'stop';
  if (action === 'rollback') rollout['onFailure'] = 'roll-back';
  if (action === 'continue')
    here.outcome.refuse(
      node,
      [...here.path, 'failure_action'],
      'a rollout that fails ends: expected pause or rollback.',
    );
  const monitor = nodeAt(node, 'monitor');
  if (monitor !== undefined) rollout['bake'] = seconds(monitor, below(here, 'monitor'));
  const ratio = nodeAt(node, 'max_failure_ratio');
  const share = ratio === undefined ? 0 : numberIn(ratio, below(here, 'max_failure_ratio'));
  if (share !== undefined && share > 0)
    rollout['breaker'] = { percent: Math.max(1, Math.round(share * 100)), least: 1, most: 1000 };
  const delay = nodeAt(node, 'delay');
  if (delay !== undefined && (seconds(delay, below(here, 'delay')) ?? 0) > 0)
    here.outcome.refuse(
      delay,
      [...here.path, 'delay'],
      'Berth goes on when replicas are healthy, not after a time: a canary of a berth.yaml has pauses (rollout.steps).',
    );
  return Object.keys(rollout).length === 0 ? undefined : { rollout };
};

/** Berth goes back as it came. */
const rollback: Rule = (node, here) => {
  const forward = nodeAt(here.project.services.get(here.service), 'deploy', 'update_config');
  const same = (name: string): boolean =>
    nodeAt(node, name) === undefined || textOf(nodeAt(node, name)) === textOf(nodeAt(forward, name));
  for (const name of ['parallelism', 'order'])
    if (!same(name))
      here.outcome.refuse(
        nodeAt(node, name) ?? node,
        [...here.path, name],
        `Berth goes back in the same way as it came: expected what update_config.${name} says.`,
      );
  here.outcome.note(node, here.path, 'Berth goes back in the way that update_config says.');
  return undefined;
};

const SPREAD: Readonly<Record<string, string>> = {
  'node.labels.zone': 'zone',
  'node.labels.az': 'zone',
  'node.labels.datacenter': 'zone',
  'node.hostname': 'machine',
  'node.id': 'machine',
};

const placement: Rule = (node, here) => {
  const result: Record<string, unknown> = {};
  const constraints: string[] = [];
  for (const [index, item] of itemsOf(nodeAt(node, 'constraints')).entries()) {
    const text = (textOf(item) ?? '').replace(
      /^\s*([^\s=!]+)\s*(==|!=|=)\s*/,
      (_, on, operator) => `${on} ${operator === '=' ? '==' : operator} `,
    );
    if (/^node\.(role == worker|role != manager|platform\.os == linux)\s*$/.test(text))
      here.outcome.note(item, [...here.path, 'constraints', index], 'true of every machine of Berth.');
    else {
      comesFrom(here, item, ['placement', 'constraints', constraints.length], ['constraints', index]);
      constraints.push(text);
    }
  }
  if (constraints.length > 0) result['constraints'] = constraints;
  const [preference, ...more] = itemsOf(nodeAt(node, 'preferences'));
  if (preference !== undefined) {
    const over = textOf(nodeAt(preference, 'spread')) ?? '';
    const spread = SPREAD[over];
    if (spread === undefined || more.length > 0)
      here.outcome.refuse(
        preference,
        [...here.path, 'preferences'],
        `Berth spreads over zones (node.labels.zone) or machines (node.hostname), one of them: found ${JSON.stringify(plain(nodeAt(node, 'preferences') ?? node))}.`,
      );
    else result['spread'] = spread;
  }
  const most = nodeAt(node, 'max_replicas_per_node');
  const count = most === undefined ? undefined : numberIn(most, below(here, 'max_replicas_per_node'));
  const mode = textOf(nodeAt(here.project.services.get(here.service), 'deploy', 'mode'));
  if (most !== undefined && mode === 'global')
    here.outcome.note(
      most,
      [...here.path, 'max_replicas_per_node'],
      'a global service has one replica on each machine.',
    );
  else if (count !== undefined && count > 0) result['atMostPerMachine'] = count;
  return Object.keys(result).length === 0 ? undefined : { placement: result };
};

const endpointMode: Rule = (node, here) => {
  if (textOf(node) !== 'vip')
    here.outcome.refuse(
      node,
      here.path,
      'names lead to replicas in one way only, which is not to be chosen.',
    );
  return undefined;
};

const rules: Readonly<Record<string, Rule>> = {
  endpoint_mode: endpointMode,
  labels: noted('Berth has labels on containers: those of deploy are left out.'),
  mode,
  placement,
  replicas,
  resources,
  restart_policy: restartPolicy,
  rollback_config: rollback,
  update_config: update,
};

/** `restart` of the service itself. */
export const restart: Rule = (node, here) => {
  const value = textOf(node) ?? '';
  if (value === 'no' || value === 'false') return { restart: 'never' };
  if (value === 'always' || value === 'unless-stopped') return { restart: 'always' };
  if (value === 'on-failure') return { restart: 'on-failure' };
  here.outcome.refuse(
    node,
    here.path,
    /^on-failure:\d+$/.test(value)
      ? 'Berth goes on trying, with growing pauses: expected on-failure without a number.'
      : `expected no, always, on-failure or unless-stopped, found "${value}".`,
  );
  return undefined;
};
