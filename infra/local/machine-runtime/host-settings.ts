import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import type { EngineOptions } from './engine.ts';
import { addressIn, freeSubnet } from './free-subnet.ts';
import { takenNetworks } from './host-routes.ts';

/**
 * What our own engine changes on this computer, and how it is put back. The engine itself touches no packet filter;
 * every rule is made here, carries the data centre's id as comment, and goes by that comment.
 */
type Place = Pick<EngineOptions, 'id' | 'directory'>;

const forwarding = '/proc/sys/net/ipv4/ip_forward';
const trustKey = '/etc/docker/key.json';

interface Before {
  readonly ipForward: string;
  readonly trustKey: boolean;
  readonly dockerFolder: boolean;
}

const recordFile = ({ directory }: Place): string => join(directory, 'engine', 'host-before.json');

/** Name of the bridge of our engine's default network, and of the machines' network: at most 15 characters. */
export const defaultBridge = (id: string): string => `bh${id}`;
export const machineBridge = (id: string): string => `bm${id}`;

/** Records how this computer was, once, and lets it forward packets. */
export function prepareHost(place: Place): void {
  const file = recordFile(place);
  if (!existsSync(file)) {
    const before: Before = {
      ipForward: readFileSync(forwarding, 'utf8').trim(),
      trustKey: existsSync(trustKey),
      dockerFolder: existsSync('/etc/docker'),
    };
    mkdirSync(join(place.directory, 'engine'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(before)}\n`);
  }
  writeFileSync(forwarding, '1');
}

/** Makes the bridge of the engine's default network, which builds use, and lets it out. */
export async function connectBridge(place: Place): Promise<string> {
  const bridge = defaultBridge(place.id);
  if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]);
  const subnet = freeSubnet(24, takenNetworks());
  await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['addr', 'add', `${addressIn(subnet, 1)}/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  await removeRules(place.id);
  await admitBridge(place.id, bridge, subnet);
  return bridge;
}

/** Lets containers on this bridge reach this computer, each other and, behind its address, the world. */
export async function admitBridge(id: string, bridge: string, subnet: string): Promise<void> {
  for (const { table, chain, match } of rulesOf(id, bridge, subnet)) {
    const known = await run('iptables', ['-w', '-t', table, '-C', chain, ...match]).then(
      () => true,
      () => false,
    );
    if (!known) await run('iptables', ['-w', '-t', table, '-I', chain, ...match]);
  }
}

/** Pure: the host's rules for one bridge. Inserted before others, so that a FORWARD policy of DROP does no harm. */
export function rulesOf(id: string, bridge: string, subnet: string) {
  const comment = ['-m', 'comment', '--comment', `berth-${id}`];
  const established = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED'];
  return [
    { table: 'filter', chain: 'INPUT', match: ['-i', bridge, ...comment, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', match: ['-i', bridge, ...comment, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', match: ['-o', bridge, ...established, ...comment, '-j', 'ACCEPT'] },
    {
      table: 'nat',
      chain: 'POSTROUTING',
      match: ['-s', subnet, '!', '-o', bridge, ...comment, '-j', 'MASQUERADE'],
    },
  ];
}

/** Puts back what was changed: rules, bridges, forwarding, and the key that an engine leaves in /etc/docker. */
export async function restoreHost(place: Place): Promise<void> {
  const file = recordFile(place);
  if (!existsSync(file)) return;
  await removeRules(place.id);
  for (const bridge of [defaultBridge(place.id), machineBridge(place.id)])
    if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]);
  const before = JSON.parse(readFileSync(file, 'utf8')) as Before;
  if (!otherBridges(place.id)) writeFileSync(forwarding, before.ipForward);
  if (!before.trustKey) rmSync(trustKey, { force: true });
  if (!before.dockerFolder && existsSync('/etc/docker') && readdirSync('/etc/docker').length === 0)
    rmdirSync('/etc/docker');
  rmSync(file);
}

async function removeRules(id: string): Promise<void> {
  for (const table of ['filter', 'nat']) {
    const rules = await run('iptables', ['-w', '-t', table, '-S']);
    for (const rule of rules.split('\n')) {
      if (!rule.startsWith('-A ') || !words(rule).includes(`berth-${id}`)) continue;
      await run('iptables', ['-w', '-t', table, '-D', ...words(rule).slice(1)]);
    }
  }
}

/** Whether another data centre runs on this computer and needs packets forwarded. */
const otherBridges = (id: string): boolean =>
  readdirSync('/sys/class/net').some((name) => /^bh[0-9a-f]{8}$/.test(name) && name !== defaultBridge(id));

/** Pure: the words of a rule as `iptables -S` prints it; comments are quoted when they need to be. */
export const words = (rule: string): readonly string[] =>
  [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map((match) => match[1] ?? match[0]);
