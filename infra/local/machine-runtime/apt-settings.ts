import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostRelease } from './release.ts';

/** How this computer reaches Debian's packages: machines use the same mirror and proxy. */
export interface AptSettings {
  /** One-line sources.list of the Debian suites alone; empty if none was found. */
  readonly sources: string;
  /** Lines of apt.conf about getting packages, proxies among them. */
  readonly options: readonly string[];
}

/** What stands for a machine's own release in its sources: the machine knows it. */
export const OWN_RELEASE = 'VERSION_CODENAME';

export const aptOfMachines = (): AptSettings =>
  hostRelease() === undefined ? { sources: '', options: [] } : aptSettings(OWN_RELEASE);

/** @param release of whom the packages are: mirrors have all that Debian supports, each under its name */
export function aptSettings(release: string): AptSettings {
  const host = hostRelease() ?? release;
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ].filter((file) => existsSync(file));
  const sources = files.flatMap((file) => debianSources(readFileSync(file, 'utf8'), host, release));
  return {
    sources: sources.map((line) => `${line}\n`).join(''),
    options: acquireOptions(execFileSync('apt-config', ['dump'], { encoding: 'utf8' })),
  };
}

/**
 * Pure: the entries for this computer's release and its updates in a sources file of either format (sources.list(5)), as
 * one-line entries for another. Other vendors' repositories are left out: their keys and their wishes are the user's.
 */
export function debianSources(text: string, host: string, release = host): readonly string[] {
  const suites = [host, `${host}-updates`, `${host}-security`];
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const line = (uri: string, suite: string, components: string) =>
    `deb [signed-by=${keyring}] ${uri} ${release}${suite.slice(host.length)} ${components}`;
  if (!/^Types:/m.test(text)) {
    return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].flatMap(
      ([, uri = '', suite = '', components = '']) =>
        suites.includes(suite) && components.split(/\s+/).includes('main')
          ? [line(uri, suite, components.trim())]
          : [],
    );
  }
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) =>
      (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(stanza)?.[1] ?? '')
        .split(/\s+/)
        .filter((word) => word !== '');
    if (!field('Types').includes('deb') || !field('Components').includes('main')) return [];
    if (field('Enabled')[0] === 'no') return [];
    return field('URIs').flatMap((uri) =>
      field('Suites')
        .filter((suite) => suites.includes(suite))
        .map((suite) => line(uri, suite, field('Components').join(' '))),
    );
  });
}

/** Pure: from `apt-config dump`, what concerns getting packages; what is empty or names a program of this computer is left out. */
export const acquireOptions = (dump: string): readonly string[] =>
  dump
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Retries|ForceIPv[46]|Check-Valid-Until|Check-Date)\b/.test(line))
    .filter((line) => !line.endsWith(' "";') && !/Proxy-?Auto-?Detect/i.test(line));
