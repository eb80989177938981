import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeWhole } from './private-file.ts';

/** Public keys as sshd shows them: type and base64. A file of them is read by ssh, so that nothing else gets into it. */
const HOST_KEY = /^((?:ssh|ecdsa)-[a-z0-9@.-]{1,60}) ([A-Za-z0-9+/]{40,4000}={0,2})(?=$|[ \r\n])/gm;

/**
 * Host keys that cloud-init wrote on a machine's console, between its marks.
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html#keys-to-console
 */
export function hostKeysOnConsole(console: string): readonly string[] {
  const block = [
    ...console.matchAll(/-----BEGIN SSH HOST KEY KEYS-----\r?\n([\s\S]*?)-----END SSH HOST KEY KEYS-----/g),
  ].at(-1)?.[1];
  return block === undefined ? [] : keysIn(block);
}

/** `<type> <base64>` of each, without comments; what is no host key is left out. */
export const keysIn = (text: string): readonly string[] =>
  [...text.matchAll(HOST_KEY)].map(([, type, blob]) => `${type} ${blob}`);

/** Pure: the file with these keys for a host and no others; what it says of other hosts stays. sshd(8), SSH_KNOWN_HOSTS */
export function withHostKeys(file: string, host: string, keys: readonly string[]): string {
  const others = file.split('\n').filter((line) => line !== '' && line.split(' ')[0] !== host);
  return [...others, ...keys.map((key) => `${host} ${key}`)].map((line) => `${line}\n`).join('');
}

/** What ssh is to find at an address: Berth's word counts, not what was there before. */
export function rememberHostKeys(folder: DataFolder, host: string, keys: readonly string[]): void {
  const file = readIfThere(folder.knownHosts) ?? '';
  const next = withHostKeys(file, host, keys);
  if (next !== file) writeWhole(folder.knownHosts, next);
}

export const isKnown = (folder: DataFolder, host: string): boolean =>
  (readIfThere(folder.knownHosts) ?? '').split('\n').some((line) => line.startsWith(`${host} `));
