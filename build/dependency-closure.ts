import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/**
 * Folders of these packages and of all that they need at run time, found as Node.js finds them.
 * @param from folder whose node_modules the search begins in
 */
export function dependencyClosure(names: readonly string[], from: string): ReadonlySet<string> {
  const folders = new Set<string>();
  const visit = (name: string, base: string): void => {
    const folder = find(name, base);
    if (folders.has(folder)) return;
    folders.add(folder);
    for (const dependency of Object.keys(manifestOf(folder).dependencies ?? {})) visit(dependency, folder);
  };
  for (const name of names) visit(name, from);
  return folders;
}

function find(name: string, base: string): string {
  for (let at = base; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (at === dirname(at)) throw new Error(`${name}, which ${base} needs, is not installed: run npm ci`);
  }
}
