import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostRelease } from './base-recipe.ts';

/** How this computer reaches Debian's packages: machines of the same release use the same mirror and proxy. */
export interface AptSettings {
  /** One-line sources.list of the Debian suites alone; empty if none was found. */
  readonly sources: string;
  /** Lines of apt.conf about getting packages, proxies among them. */
  readonly options: readonly string[];
}

/** This computer's mirror and proxy serve machines of the same release only. */
export function aptOfMachines(): AptSettings {
  const release = hostRelease();
  return release === undefined ? { sources: '', options: [] } : aptSettings(release);
}

export function aptSettings(release: string): AptSettings {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ].filter((file) => existsSync(file));
  const sources = files.flatMap((file) => debianSources(readFileSync(file, 'utf8'), release));
  return {
    sources: sources.map((line) => `${line}\n`).join(''),
    options: acquireOptions(execFileSync('apt-config', ['dump'], { encoding: 'utf8' })),
  };
}

/**
 * Pure: the entries for this release and its updates in a sources file of either format (sources.list(5)), as
 * one-line entries. Other vendors' repositories are left out: their keys and their wishes are the user's.
 */
export function debianSources(text: string, release: string): readonly string[] {
  const suites = [release, `${release}-updates`, `${release}-security`];
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const line = (uri: string, suite: string, components: string) =>
    `deb [signed-by=${keyring}] ${uri} ${suite} ${components}`;
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
