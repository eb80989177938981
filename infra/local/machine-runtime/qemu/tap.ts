import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { run } from '../command.ts';

const digest = (id: string, name: string): string =>
  createHash('sha256').update(`${id}/${name}`).digest('hex');

/** Name of the network device through which a machine is joined to the bridge: at most 15 characters. */
export const tapName = (id: string, name: string): string => `bt${digest(id, name).slice(0, 12)}`;

/** A hardware address of the locally administered ones, always the same for a machine. */
export const hardwareAddress = (id: string, name: string): string =>
  `52:54:00:${(digest(id, name).slice(0, 6).match(/../g) ?? []).join(':')}`;

/** Makes, or finds, a machine's device on the bridge. */
export async function ensureTap(tap: string, bridge: string): Promise<void> {
  if (!existsSync(`/sys/class/net/${tap}`)) await run('ip', ['tuntap', 'add', 'dev', tap, 'mode', 'tap']);
  await run('ip', ['link', 'set', tap, 'master', bridge, 'up']);
}

export async function removeTap(tap: string): Promise<void> {
  if (existsSync(`/sys/class/net/${tap}`)) await run('ip', ['link', 'delete', tap]);
}
