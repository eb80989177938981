import { entriesOf, itemsOf, nodeAt, type TreeNode, textOf } from '../tree.ts';
import { below, type Fields, type Here, mebibytes, numberIn, type Rule, together } from './rule.ts';

/** Berth reserves what it limits to: of both, the limit counts. */
export const resources: Rule = (node, here) => {
  const limits = nodeAt(node, 'limits');
  const reservations = nodeAt(node, 'reservations');
  const reserved = amounts(reservations, below(here, 'reservations'));
  const limited = amounts(limits, below(here, 'limits'));
  if (reservations !== undefined && limits !== undefined)
    for (const name of ['cpus', 'memory']) {
      const [least, most] = [nodeAt(reservations, name), nodeAt(limits, name)];
      if (least !== undefined && most !== undefined && textOf(least) !== textOf(most))
        here.outcome.note(
          least,
          [...here.path, 'reservations', name],
          `Berth reserves what it limits to: ${textOf(most)}.`,
        );
    }
  return together(reserved, limited);
};

function amounts(node: TreeNode | undefined, here: Here): Fields {
  let fields: Fields = {};
  for (const [name, value] of entriesOf(node))
    fields = together(
      fields,
      rules[name]?.(value, below(here, name)) ?? unknown(value, below(here, name)) ?? {},
    );
  return fields;
}

const unknown: Rule = (node, { path, outcome }) => {
  if (!rules[String(path.at(-1))] && !String(path.at(-1)).startsWith('x-'))
    outcome.refuse(node, path, 'Berth reserves cores, memory and GPUs.');
  return undefined;
};

export const cpus: Rule = (node, here) => {
  const cpu = numberIn(node, here);
  return cpu === undefined || cpu === 0 ? undefined : { resources: { cpu } };
};

export const memory: Rule = (node, here) => {
  const size = mebibytes(node, here);
  return size === undefined || size === 0 ? undefined : { resources: { memory: Math.max(6, size) } };
};

export const pids: Rule = (node, here) => {
  const most = numberIn(node, here);
  return most === undefined || most <= 0 ? undefined : { pidsLimit: most };
};

/** `devices` that ask for GPUs: so many of any kind. */
const devices: Rule = (node, here) => {
  let gpu = 0;
  for (const [index, device] of itemsOf(node).entries()) {
    const path = [...here.path, index];
    const capabilities = itemsOf(nodeAt(device, 'capabilities')).map(textOf);
    const count = textOf(nodeAt(device, 'count'));
    const ids = itemsOf(nodeAt(device, 'device_ids'));
    if (!capabilities.includes('gpu') && path[2] !== 'gpus')
      here.outcome.refuse(device, path, 'of devices Berth gives GPUs: expected capabilities: [gpu].');
    else if (ids.length > 0 || count === undefined || !/^\d+$/.test(count))
      here.outcome.refuse(
        device,
        path,
        `Berth gives a number of GPUs: expected count: 1 or more${count === 'all' ? ', not all' : ', without device_ids'}.`,
      );
    else gpu += Number(count);
  }
  return gpu === 0 ? undefined : { resources: { gpu } };
};

export const gpus: Rule = (node, here) => {
  if (node.kind === 'list') return devices(node, here);
  here.outcome.refuse(node, here.path, 'Berth gives a number of GPUs: expected [{count: 1}], not all.');
  return undefined;
};

/** Swarm's way to say so. */
const genericResources: Rule = (node, here) => {
  let gpu = 0;
  for (const [index, item] of itemsOf(node).entries()) {
    const kind = textOf(nodeAt(item, 'discrete_resource_spec', 'kind')) ?? '';
    if (/^(nvidia[-_.])?gpu$/i.test(kind))
      gpu += Number(textOf(nodeAt(item, 'discrete_resource_spec', 'value')) ?? 0);
    else
      here.outcome.refuse(
        item,
        [...here.path, index],
        `of generic resources Berth knows gpu, not "${kind}".`,
      );
  }
  return gpu === 0 ? undefined : { resources: { gpu } };
};

const rules: Readonly<Record<string, Rule>> = {
  cpus,
  memory,
  pids,
  devices,
  generic_resources: genericResources,
};
