import { shellWords } from '../shell-words.ts';
import { entriesOf, itemsOf, nodeAt, plain, textOf } from '../tree.ts';
import { deploy, replicas, restart } from './deploy.ts';
import { uses } from './files.ts';
import { healthcheck } from './health.ts';
import { type Contents, mounts, tmpfs } from './mounts.ts';
import { networkMode } from './networks.ts';
import { expose, ports } from './published.ts';
import { cpus, gpus, memory, pids } from './resources.ts';
import { comesFrom, flag, mebibytes, noted, type Rule, refused, seconds, text } from './rule.ts';

/** A text is split into words as a shell does it, but none runs. */
const words =
  (field: string): Rule =>
  (node, here) => {
    const found =
      node.kind === 'list' ? itemsOf(node).map((item) => textOf(item) ?? '') : shellWords(textOf(node) ?? '');
    if (found === undefined) here.outcome.refuse(node, here.path, 'a quote is not closed.');
    else if (found.length > 0) return { [field]: found };
    else if (node.kind === 'list' || textOf(node) !== undefined)
      here.outcome.refuse(
        node,
        here.path,
        `an empty ${field} takes the image's own away, which Berth cannot: write out what is to run.`,
      );
    return undefined;
  };

/** Names with values; what has none is an empty text. */
const pairs =
  (field: string): Rule =>
  (node, here) => {
    const entries = entriesOf(node).map(([name, value]) => {
      comesFrom(here, value, [field, name]);
      return [name, textOf(value) ?? ''] as const;
    });
    return entries.length === 0 ? undefined : { [field]: Object.fromEntries(entries) };
  };

const list =
  (field: string): Rule =>
  (node, here) => {
    const items = itemsOf(node).map((item, index) => {
      comesFrom(here, item, [field, index]);
      return textOf(item) ?? '';
    });
    return items.length === 0 ? undefined : { [field]: items };
  };

const dependencies: Rule = (node, here) => {
  const names: string[] = [];
  for (const [name, value] of entriesOf(node)) {
    if (!here.project.services.has(name)) continue;
    // That is a step before the rollout, or was refused.
    if (textOf(nodeAt(value, 'condition')) === 'service_completed_successfully') continue;
    names.push(name.toLowerCase());
  }
  return names.length === 0 ? undefined : { dependsOn: names };
};

const links: Rule = (node, here) => {
  const names: string[] = [];
  for (const [index, item] of itemsOf(node).entries()) {
    const [name = '', alias = name] = (textOf(item) ?? '').split(':');
    if (alias !== name)
      here.outcome.refuse(
        item,
        [...here.path, index],
        `services reach each other by their names alone: expected ${name}, found the further name ${alias}.`,
      );
    else if (here.project.services.has(name)) names.push(name.toLowerCase());
  }
  if (names.length > 0)
    here.outcome.note(node, here.path, 'services of an application reach each other by name without it.');
  return undefined;
};

const extraHosts: Rule = (node, here) => {
  const found: Record<string, string> = {};
  for (const [name, addresses] of entriesOf(node)) {
    const [first, ...more] = itemsOf(addresses);
    if (more.length > 0)
      here.outcome.refuse(addresses, [...here.path, name], 'expected one address for a name.');
    found[name] = textOf(first) ?? '';
  }
  return { extraHosts: found };
};

const logging: Rule = (node, here) => {
  const driver = textOf(nodeAt(node, 'driver')) ?? 'json-file';
  if (driver !== 'json-file' && driver !== 'local') {
    here.outcome.refuse(
      nodeAt(node, 'driver') ?? node,
      [...here.path, 'driver'],
      `Berth keeps logs itself (berth logs): expected json-file, found ${driver}.`,
    );
    return undefined;
  }
  const result: Record<string, unknown> = {};
  for (const [name, value] of entriesOf(nodeAt(node, 'options'))) {
    const path = [...here.path, 'options', name];
    if (name === 'max-size') result['maxSize'] = mebibytes(value, { ...here, path });
    else if (name === 'max-file') result['maxFiles'] = Number(textOf(value));
    else if (name !== 'compress')
      here.outcome.refuse(value, path, 'of options Berth knows max-size and max-file.');
  }
  return Object.keys(result).length === 0 ? undefined : { logging: result };
};

const securityOptions: Rule = (node, here) => {
  let fields = {};
  for (const [index, item] of itemsOf(node).entries()) {
    const option = textOf(item) ?? '';
    if (/^no-new-privileges([:=]true)?$/.test(option)) fields = { noNewPrivileges: true };
    else if (option !== 'no-new-privileges:false')
      here.outcome.refuse(
        item,
        [...here.path, index],
        `of security options Berth knows no-new-privileges, not ${option}.`,
      );
  }
  return fields;
};

const ulimits: Rule = (node, here) => ({
  ulimits: Object.fromEntries(
    entriesOf(node).map(([name, value]) => {
      comesFrom(here, value, ['ulimits', name]);
      const [soft, hard] = [Number(textOf(nodeAt(value, 'soft'))), Number(textOf(nodeAt(value, 'hard')))];
      return [name, soft === hard ? soft : { soft, hard }];
    }),
  ),
});

const signal: Rule = (node) => {
  const name = textOf(node) ?? '';
  return { stopSignal: /^\d+$/.test(name) || name.startsWith('SIG') ? name : `SIG${name}` };
};

const grace: Rule = (node, here) => {
  const found = seconds(node, here);
  return found === undefined ? undefined : { stopGrace: found };
};

const size =
  (field: string): Rule =>
  (node, here) => {
    const found = mebibytes(node, here);
    return found === undefined ? undefined : { [field]: found };
  };

const only =
  (values: readonly string[], reason: string): Rule =>
  (node, here) => {
    if (!values.includes(textOf(node) ?? ''))
      here.outcome.refuse(node, here.path, `${reason}, found ${JSON.stringify(plain(node))}.`);
    return undefined;
  };

/** `false` or nothing: as if it were not there. */
const unlessFalse =
  (reason: string): Rule =>
  (node, here) => {
    if (!['false', '0', undefined].includes(textOf(node))) here.outcome.refuse(node, here.path, reason);
    return undefined;
  };

const WINDOWS = 'Berth runs Linux containers.';
const SHARES = 'Berth shares cores by number: expected deploy.resources.limits.cpus.';
const DNS = "names are found by the engine's own resolver, which Berth sets.";
const NAMESPACES =
  'containers of Berth share nothing of the machine with it: what must is a program of the machine.';
const HOOKS = 'Berth runs no hooks in containers: put it into the command or the entrypoint.';

/** What each key of a service becomes. A key that is not here is refused. */
export const serviceKeys = (contents: Contents): Readonly<Record<string, Rule>> => ({
  annotations: refused("Berth's engines have no annotations: expected labels."),
  attach: noted('berth logs shows what it writes.'),
  blkio_config: refused('Berth does not divide the bandwidth of disks.'),
  build: () => undefined,
  cap_add: list('capAdd'),
  cap_drop: list('capDrop'),
  cgroup: only(['private'], 'each container has its own: expected private'),
  cgroup_parent: refused(NAMESPACES),
  command: words('command'),
  configs: uses('configs', 'config'),
  container_name: noted(
    'Berth names containers itself; services reach each other by the name of the service.',
  ),
  cpu_count: refused(WINDOWS),
  cpu_percent: refused(WINDOWS),
  cpu_period: refused(SHARES),
  cpu_quota: refused(SHARES),
  cpu_rt_period: refused(SHARES),
  cpu_rt_runtime: refused(SHARES),
  cpu_shares: refused(SHARES),
  cpus,
  cpuset: refused('Berth does not choose among cores: expected deploy.resources.limits.cpus.'),
  credential_spec: refused(WINDOWS),
  depends_on: dependencies,
  deploy,
  develop: noted('only docker compose watch reads it.'),
  device_cgroup_rules: refused('Berth gives GPUs of machines, and no other device.'),
  devices: refused('Berth gives GPUs of machines, and no other device.'),
  dns: refused(DNS),
  dns_opt: refused(DNS),
  dns_search: refused(DNS),
  domainname: refused('containers of Berth have a host name without a domain.'),
  entrypoint: words('entrypoint'),
  environment: pairs('environment'),
  expose,
  external_links: refused('Berth links no containers that it does not run.'),
  extra_hosts: extraHosts,
  gpus,
  group_add: list('groupAdd'),
  healthcheck,
  hostname: text('hostname'),
  image: () => undefined,
  init: flag('init'),
  ipc: only(['private'], 'each container has its own: expected private'),
  isolation: only(['default'], 'Berth runs Linux containers: expected default'),
  labels: pairs('labels'),
  links,
  logging,
  mac_address: refused('Berth does not choose addresses of containers.'),
  mem_limit: memory,
  mem_reservation: (node, here) =>
    nodeAt(here.project.services.get(here.service), 'mem_limit') === undefined
      ? memory(node, here)
      : noted('Berth reserves what it limits to.')(node, here),
  mem_swappiness: refused('machines of Berth have no swap to say anything of.'),
  memswap_limit: refused('machines of Berth have no swap to say anything of.'),
  models: refused('Berth runs no models beside containers.'),
  network_mode: networkMode,
  networks: () => undefined,
  oom_kill_disable: unlessFalse('a container that takes more than its memory ends, and starts anew.'),
  oom_score_adj: unlessFalse(
    'Berth does not say which container goes first when memory is short: each has its own limit.',
  ),
  pid: refused(NAMESPACES),
  pids_limit: pids,
  platform: only(
    ['linux/amd64', 'linux', 'linux/amd64/v2', 'linux/x86_64'],
    "Berth's machines are linux/amd64: expected that",
  ),
  ports,
  post_start: refused(HOOKS),
  pre_stop: refused(HOOKS),
  privileged: flag('privileged'),
  provider: refused('Berth runs containers, and no programs of this computer for a service.'),
  pull_policy: noted('Berth runs the image that a tag meant when it was deployed, by its digest.'),
  pull_refresh_after: noted('Berth runs the image that a tag meant when it was deployed, by its digest.'),
  read_only: flag('readOnly'),
  restart,
  runtime: refused('machines have one runtime.'),
  scale: replicas,
  secrets: uses('secrets', 'secret'),
  security_opt: securityOptions,
  shm_size: size('shmSize'),
  stdin_open: unlessFalse(
    'nobody is at the standard input of a container: a program that ends without one has to be told not to.',
  ),
  stop_grace_period: grace,
  stop_signal: signal,
  storage_opt: refused('Berth does not limit what a container writes into its own file system.'),
  sysctls: pairs('sysctls'),
  tmpfs,
  tty: flag('tty'),
  ulimits,
  use_api_socket: unlessFalse('containers do not reach the engine of their machine.'),
  user: text('user'),
  userns_mode: refused(NAMESPACES),
  uts: refused(NAMESPACES),
  volumes: mounts(contents),
  volumes_from: refused('containers of two services may be on two machines: expected volumes.'),
  working_dir: text('workingDirectory'),
});
